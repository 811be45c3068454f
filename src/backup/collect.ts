import type { Entry } from "../model/entry.ts";
import type { Outcome } from "../model/outcome.ts";
import type { Look, Pending, SeenDirectory } from "./read-names.ts";
import type { Walker } from "./walk.ts";

/** Directories to read, and files to look up, in one step. */
const [DIRECTORIES, FILES] = [32, 1024];
/** The number of directories left to walk from which the rest can be divided well. */
const ENOUGH_DIRECTORIES = 32;

/** Limits of one listing. */
interface Limits {
  /** Files and directories to look up. */
  files: number;
  milliseconds: number;
  /** How often the tree was divided before; each time, twice as many names may be read ahead. */
  depth: number;
}

export interface Collected {
  entries: Entry[];
  /** Outcomes settled already: names that cannot be copied or could not be read. */
  outcomes: Outcome[];
  /** The root, and directories that are not empty. Only their attributes are recorded. */
  directories: SeenDirectory[];
  left: Pending[];
}

/**
 * Walks breadth first from what is pending until a limit is reached. If the tree is too narrow to divide the rest, such as a
 * chain of directories, names are read ahead without looking them up, twice as many after each division, so that the depth
 * of divisions grows with the logarithm of the tree.
 * @param onDirectory called with a file of each directory that has files, before they are looked up
 */
export async function collect(
  walker: Pick<Walker, "readDirectories" | "lookAll" | "emptyDirectory">,
  pending: readonly Pending[],
  limits: Limits,
  onDirectory: (file: string) => void,
): Promise<Collected> {
  const deadline = performance.now() + limits.milliseconds;
  const readAhead = limits.files * 2 ** Math.min(limits.depth, 6);
  const collected: Collected = { entries: [], outcomes: [], directories: [], left: [] };
  const directories: string[] = [];
  const files: string[] = [];
  for (const item of pending) {
    if ("dir" in item) directories.push(item.dir);
    else files.push(item.file);
  }
  let [met, next, nextFile] = [0, 0, 0];
  const take = (look: Look): void => {
    if (!look) return;
    if ("entry" in look) collected.entries.push(look.entry);
    else if ("outcome" in look) collected.outcomes.push(look.outcome);
    else directories.push(look.directory);
  };
  const full = (): boolean => met >= limits.files || performance.now() > deadline;

  for (;;) {
    // Files first: those of some directories before the next ones are read.
    while (nextFile < files.length && !full()) {
      const some = files.slice(nextFile, nextFile + Math.min(FILES, limits.files - met));
      nextFile += some.length;
      met += some.length;
      for (const look of await walker.lookAll(some)) take(look);
    }
    if (next === directories.length) break;
    if (full()) {
      const unread = directories.length - next;
      if (
        unread >= ENOUGH_DIRECTORIES ||
        files.length - nextFile >= readAhead ||
        performance.now() > deadline
      )
        break;
    }
    const some = directories.slice(next, next + (full() ? 1 : DIRECTORIES));
    for await (const read of walker.readDirectories(some)) {
      next++;
      met++;
      if (read && "own" in read) {
        for (const child of read.directories) directories.push(child);
        for (const child of read.files) files.push(child);
        if (read.files[0] !== undefined) onDirectory(read.files[0]);
        if (!read.empty || read.own.path === "") collected.directories.push(read.own);
        else take(await walker.emptyDirectory(read.own));
      } else take(read);
      if (full() || files.length - nextFile >= FILES) break;
    }
  }
  for (const file of files.slice(nextFile)) collected.left.push({ file });
  for (const dir of directories.slice(next)) collected.left.push({ dir });
  return collected;
}
