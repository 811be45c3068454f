import { hostname } from "node:os";
import { z } from "zod";
import { fileError } from "../files/errors.ts";
import { lookAtDirectory } from "../files/in-directory.ts";
import { NotAFile } from "../files/read-file.ts";
import { FileTimeout, withTimeout } from "../files/timeout.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { readListing } from "../ledger/listing.ts";
import { GONE } from "../ledger/names.ts";
import { PartProblem } from "../ledger/part-kind.ts";
import type { Outcome } from "../model/outcome.ts";
import { parentPath, pathMark, printable } from "../model/path.ts";
import type { SeenDirectory } from "./read-names.ts";

/** The root is gone, or another directory is in its place. Files that are missing then have not vanished. */
export class RootGone extends PartProblem {
  constructor(root: string, why: string) {
    super(
      `The directory ${printable(root)} disappeared during the backup: ${why}. ` +
        "Check that its disk or share is mounted, and start the backup again.",
    );
  }
}

/** Where names were looked for. */
interface Searched {
  ledger: Ledger;
  part: string;
  /** The name of the record for the outcomes. */
  record: string;
  realRoot: string;
  fileTimeoutMs: number;
  /** Directories read just now, besides those of recorded listings. */
  directories?: readonly SeenDirectory[];
}

/**
 * Checks names that seem to have vanished. A name has vanished if the directory it was read in is still there. If that
 * directory is gone, it has one outcome for everything in it, recorded once per run. If another is in its place, it fails.
 * @throws RootGone
 */
export async function confirmVanished(outcomes: readonly Outcome[], searched: Searched): Promise<Outcome[]> {
  if (!outcomes.some(isVanished)) return [...outcomes];
  const search = new Search(searched, await directoriesAsRead(searched));
  await search.assertRoot();
  const confirmed: Outcome[] = [];
  for (const outcome of outcomes) {
    const found = isVanished(outcome) ? await search.whatVanished(outcome) : outcome;
    if (found) confirmed.push(found);
  }
  return confirmed;
}

function isVanished({ outcome }: Outcome): boolean {
  return outcome === "vanished";
}

/** What is at a directory's path now. */
type Now = "as read" | "gone" | { why: string };

class Search {
  readonly #searched: Searched;
  readonly #asRead: ReadonlyMap<string, Identity>;
  readonly #now = new Map<string, Now>();
  readonly #recorded = new Set<string>();

  constructor(searched: Searched, asRead: ReadonlyMap<string, Identity>) {
    this.#searched = searched;
    this.#asRead = asRead;
  }

  async assertRoot(): Promise<void> {
    const now = await this.#lookAt("");
    if (now === "as read") return;
    throw new RootGone(this.#searched.realRoot, now === "gone" ? "it no longer exists" : now.why);
  }

  /** The outcome of a missing name; undefined if a directory's outcome stands for it. */
  async whatVanished(outcome: Outcome): Promise<Outcome | undefined> {
    let name = outcome.path;
    for (;;) {
      const directory = parentPath(name);
      const now = await this.#lookAt(directory);
      if (now === "as read") break;
      name = directory;
      if (now === "gone") continue;
      const reason = `names read in it no longer exist: ${now.why}`;
      return await this.#recordOnce({ path: name, kind: "directory", size: 0, outcome: "failed", reason });
    }
    if (name === outcome.path) return outcome;
    const reason = "the directory was gone before everything in it was copied";
    return await this.#recordOnce({ path: name, kind: "other", size: 0, outcome: "vanished", reason });
  }

  /** Records a directory's outcome, unless that was done already. */
  async #recordOnce(outcome: Outcome): Promise<Outcome | undefined> {
    if (this.#recorded.has(outcome.path)) return undefined;
    this.#recorded.add(outcome.path);
    const { ledger, record } = this.#searched;
    const name = `${GONE}${pathMark(outcome.path)}`;
    const { won } = await ledger.writeOnce(name, record);
    return won || (await ledger.read(name)) === record ? outcome : undefined;
  }

  async #lookAt(directory: string): Promise<Now> {
    const before = this.#now.get(directory);
    if (before !== undefined) return before;
    const now = await this.#lookNow(directory);
    this.#now.set(directory, now);
    return now;
  }

  async #lookNow(directory: string): Promise<Now> {
    const { realRoot, fileTimeoutMs } = this.#searched;
    try {
      const stats = await withTimeout(lookAtDirectory(realRoot, directory), fileTimeoutMs, "looking it up");
      const asRead = this.#asRead.get(directory);
      return !asRead || isSame(asRead, stats) ? "as read" : { why: REPLACED };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return "gone";
      if (error instanceof NotAFile) return { why: REPLACED };
      return { why: error instanceof FileTimeout ? error.message : fileError(code ?? String(error)) };
    }
  }
}

const REPLACED = "something else has been put in its place";

/** A directory's identity. It names the machine, because a file system's number may differ on each. */
interface Identity {
  machine: string | undefined;
  dev: number;
  ino: number;
}

function isSame(asRead: Identity, now: { dev: number; ino: number }): boolean {
  return asRead.ino === now.ino && (asRead.machine !== hostname() || asRead.dev === now.dev);
}

const line = z.object({ path: z.string(), dev: z.number(), ino: z.number() });

/** The directories that a part's names were read in: from its own listing and those of the parts it came from. */
async function directoriesAsRead({
  ledger,
  part,
  directories = [],
}: Searched): Promise<Map<string, Identity>> {
  const asRead = new Map<string, Identity>();
  for (let of = part; of !== ""; of = of.slice(0, Math.max(0, of.lastIndexOf(".")))) {
    const listing = await readListing(ledger, of);
    const lines = listing?.directories ? await ledger.readLines(listing.directories) : [];
    for (const value of lines) {
      const { success, data } = line.safeParse(value);
      if (success) asRead.set(data.path, { ...data, machine: listing?.machine });
    }
  }
  for (const { path, dev, ino } of directories) asRead.set(path, { machine: hostname(), dev, ino });
  return asRead;
}
