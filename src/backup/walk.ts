import type { Stats } from "node:fs";
import { lstat, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { readdirp, type EntryInfo } from "readdirp";
import { fileError } from "../file-system/file-error.ts";
import { attributesOf, mtimeOf, modeOf, type Entry } from "./entry.ts";
import type { Looked } from "./file-thread/asks.ts";
import { fileThread } from "./file-thread/file-thread.ts";
import type { Filter } from "./filter.ts";
import { awaitingHandles } from "../file-system/handles.ts";
import type { Outcome } from "./outcome.ts";
import type { PinnedDirectory } from "./pinned-directory.ts";
import { kindOf, locate, NotAFile } from "./read-file.ts";
import { inDirectory } from "./read-link.ts";
import { unnameable, blobKey, toPortablePath } from "./blob-name.ts";
import { FileTimeout, withTimeout } from "../file-system/timeout.ts";

/** A name that was met and is still to be looked at: a directory to walk, or a file to look up. */
export type Pending = { dir: string } | { file: string };

/** What one look at a name gave: an entry to copy, or an outcome that stands already. */
export type Look = { entry: Entry } | { outcome: Outcome } | undefined;

/** The children of a directory, by what they are. Paths are relative to the root, `/` between segments. */
export interface Children {
  directories: string[];
  files: string[];
  /** Nothing at all is in it, and the filter would have it. */
  empty: boolean;
  /** The directory's own time of change, in microseconds since 1970, and permission bits. */
  own?: { mtime: number; mode: number };
}

/** Looks at a tree, one directory at a time, and never outside it. */
export class Walker {
  readonly #realRoot: string;
  readonly #filter: Filter;
  readonly #nameOf: (portable: string) => string;
  readonly #timeoutMs: number;

  /** @param nameOf the blob's name of a path */
  constructor(realRoot: string, filter: Filter, nameOf: (portable: string) => string, timeoutMs: number) {
    this.#realRoot = realRoot;
    this.#filter = filter;
    this.#nameOf = nameOf;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Reads one directory. Links are not followed.
   * @returns its children, or the outcome that says why it could not be read
   */
  async readDirectory(portable: string): Promise<Children | { outcome: Outcome }> {
    try {
      return await awaitingHandles(() =>
        withTimeout(
          inDirectory(this.#realRoot, portable, (directory) => this.#childrenOf(directory, portable)),
          this.#timeoutMs,
          "reading the directory",
        ),
      );
    } catch (error) {
      return { outcome: this.#directoryOutcome(portable, error) };
    }
  }

  async #childrenOf(directory: PinnedDirectory, portable: string): Promise<Children> {
    const children: Children = { directories: [], files: [], empty: this.#filter.emptyDirectory(portable) };
    let problem: unknown;
    // Through the open directory: one that is replaced by a link meanwhile does not lead to another tree.
    const absolute = directory.path("");
    const stats = await directory.stat();
    children.own = { mtime: mtimeOf(stats), mode: modeOf(stats) };
    const stream = readdirp(absolute, {
      depth: 0,
      type: "all",
      // Directories come here and nowhere else: whoever walks decides when to go into them.
      directoryFilter: (info) => {
        children.empty = false;
        if (info.dirent?.isSymbolicLink()) this.#addFile(children, portable, info);
        else this.#addDirectory(children, portable, info);
        return false;
      },
    });
    stream.on("warn", (error: NodeJS.ErrnoException) => {
      // A link whose target is missing or loops is a link all the same.
      if (error.path === absolute || error.syscall === "scandir") problem = error;
    });
    for await (const info of stream) {
      children.empty = false;
      this.#addFile(children, portable, info);
    }
    // Elsewhere the name was read: if it is a link now, this may have been another tree.
    if (process.platform !== "linux" && (await realpath(absolute)) !== absolute) {
      problem ??= Object.assign(new Error("moved"), { code: "ENOENT" });
    }
    if (problem !== undefined) throw problem;
    // A link to a directory comes as a directory and as a file: each name counts once.
    children.files = [...new Set(children.files)];
    return children;
  }

  /** Looks up one name: its size and times, and whether Blob Storage can hold it. */
  async look(portable: string): Promise<Look> {
    const outcome = (name: Outcome["outcome"], reason: string, kind: Outcome["kind"] = "file"): Look => ({
      outcome: { path: portable, outcome: name, kind, size: 0, reason },
    });
    let stats: Looked | Stats | undefined = await fileThread.look(this.#realRoot, portable);
    try {
      stats ??= await withTimeout(lstat(locate(this.#realRoot, portable)), this.#timeoutMs, "looking it up");
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "";
      if (error instanceof FileTimeout) return outcome("failed", error.message);
      if (error instanceof NotAFile) return outcome("skipped", error.what, "other");
      if (code === "ENOENT" && portable.includes("\ufffd")) {
        return outcome("failed", "its name is not valid UTF-8: a blob's name cannot hold it; rename it");
      }
      if (code === "ENOENT" || code === "ENOTDIR") return outcome("vanished", "gone when it was looked up");
      return outcome("failed", fileError(code));
    }
    const kind =
      !("isFile" in stats) || stats.isFile()
        ? "file"
        : stats.isSymbolicLink()
          ? "link"
          : stats.isDirectory()
            ? "directory"
            : "other";
    if (kind === "other") return outcome("skipped", kindOf(stats as Stats), "other");
    const why = unnameable(this.#nameOf(portable));
    if (why !== undefined) return outcome("failed", `Blob Storage cannot hold it: ${why}`, kind);
    if (portable.includes("\\") && (await this.#clashes(portable))) {
      return outcome("failed", 'Blob Storage turns "\\" into "/", and another file has that name', kind);
    }
    const size = kind === "file" ? stats.size : 0;
    return { entry: { path: portable, kind, size, ...attributesOf(stats) } };
  }

  /** Whether another file would have the same blob; the one with fewest backslashes first in order gets it. */
  async #clashes(portable: string): Promise<boolean> {
    for (const variant of variants(portable)) {
      if (variant >= portable) continue;
      const looking = lstat(locate(this.#realRoot, variant));
      const there = await withTimeout(looking, this.#timeoutMs, "looking it up").catch(() => undefined);
      if (there && !there.isDirectory()) return true;
    }
    return false;
  }

  #addFile(children: Children, directory: string, info: EntryInfo): void {
    const portable = join(directory, info.basename);
    if (this.#filter.file(portable)) children.files.push(portable);
  }

  #addDirectory(children: Children, directory: string, info: EntryInfo): void {
    const portable = join(directory, info.basename);
    if (this.#filter.directory(portable)) children.directories.push(portable);
  }

  #directoryOutcome(portable: string, problem: unknown): Outcome {
    const code = (problem as NodeJS.ErrnoException).code ?? "";
    const base = { path: portable, kind: "directory" as const, size: 0 };
    if (code === "ENOENT" || code === "ENOTDIR" || problem instanceof NotAFile) {
      return {
        ...base,
        kind: "other",
        outcome: "vanished",
        reason: "the directory was gone when it was to be read",
      };
    }
    const why = problem instanceof FileTimeout ? problem.message : fileError(code || String(problem));
    return { ...base, outcome: "failed", reason: `the directory could not be read: ${why}` };
  }
}

/** Why a root cannot be backed up, for people; or its real path. */
export async function resolveRoot(
  root: string,
  timeoutMs: number,
): Promise<{ realRoot: string } | { problem: string }> {
  if (path.win32.isAbsolute(root) && !path.isAbsolute(root)) {
    return {
      problem: `The directory ${root} is a path on Windows, and this host runs on ${process.platform}.`,
    };
  }
  try {
    const realRoot = await withTimeout(realpath(root), timeoutMs, "looking it up");
    const stats = await withTimeout(stat(realRoot), timeoutMs, "looking it up");
    if (!stats.isDirectory()) {
      return { problem: `${root} is ${stats.isFile() ? "a file" : kindOf(stats)}, not a directory.` };
    }
    return { realRoot };
  } catch (error) {
    if (error instanceof FileTimeout)
      return { problem: `The directory ${root} cannot be read: ${error.message}.` };
    return { problem: rootProblem(root, (error as NodeJS.ErrnoException).code ?? String(error)) };
  }
}

/** What an error on the root itself means, for people. */
export function rootProblem(root: string, code: string): string {
  if (code === "ENOENT") return `The directory ${root} does not exist.`;
  if (code === "ENOTDIR") return `${root} is not a directory: a part of the path is a file.`;
  if (code === "EACCES" || code === "EPERM") {
    return `There is no permission to read the directory ${root} (${code}). The app's user must be able to list it.`;
  }
  return `The directory ${root} cannot be read: ${fileError(code)}.`;
}

function join(directory: string, name: string): string {
  // A name is one segment: on Windows it cannot hold a separator, on POSIX "\" is part of it.
  return directory === "" ? toPortablePath(name, "/") : `${directory}/${name}`;
}

/** Backslashes that are tried one by one; a name with more separators than this is not told apart further. */
const MOST_SEPARATORS = 10;

/** The other spellings of a path that Blob Storage would store under the same name. */
function variants(portable: string): string[] {
  const segments = blobKey(portable).split("/");
  if (segments.length - 1 > MOST_SEPARATORS) return [blobKey(portable)];
  let spellings = [segments[0] ?? ""];
  for (const segment of segments.slice(1)) {
    spellings = spellings.flatMap((head) => [`${head}/${segment}`, `${head}\\${segment}`]);
  }
  return spellings.filter((spelling) => spelling !== portable);
}
