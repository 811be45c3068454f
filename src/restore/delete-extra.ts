import type { Stats } from "node:fs";
import { rmdir, unlink } from "node:fs/promises";
import type { BlobServiceClient } from "@azure/storage-blob";
import { fileError } from "../file-system/file-error.ts";
import { mtimeOf } from "../backup/entry.ts";
import { emptyTally, type Outcome, type Tally } from "../backup/outcome.ts";
import { awaitingHandles } from "../file-system/handles.ts";
import { tidyInTime, withTimeout } from "../file-system/timeout.ts";
import { Ledger, toLines } from "../ledger/ledger.ts";
import { settleOutcomes } from "../ledger/outcomes.ts";
import { takingTurns } from "../model/in-turns.ts";
import type { Settings } from "../settings.ts";
import { ignore, PinnedDirectory, type Name } from "../backup/pinned-directory.ts";
import { whileWritable } from "../file-system/writable-directory.ts";
import { setTime } from "./file-times.ts";
import type { PlanBase } from "./plan.ts";
import { refusedTarget } from "./refused-target.ts";
import type { RestoreRequest } from "./request.ts";
import { IncompleteRun, RunNames } from "./run-names.ts";
import { createSelection, type Selection } from "./selection.ts";

/** One slice of the work, as an activity is given it: what one call manages in its time. */
export interface SliceRef extends PlanBase<RestoreRequest> {
  run: string;
  slice: number;
  /** Only what is in the way of what is to be restored: in the place of a directory, or below that of a file. */
  inTheWay?: boolean;
}

/** What came of a slice: written once as `deleted/{slice}.json`. */
export interface Slice {
  tally: Tally;
  /** Names that were removed (in a dry run: that would be). */
  deleted: number;
  /** The last name that was looked at, when there is more to look at. */
  reached?: string;
  /** Of a dry run: the directories on the way there in which all that comes before would be gone. */
  emptied?: string[];
}

/**
 * Removes what the directory has and the run has not, for a bounded time: what is in the way before anything is
 * restored, all else last, so that a restore that storage breaks off has not cost what was there. Only what the
 * request's patterns and the run's own cover is removed: what a backup left out it cannot bring back. What could not be
 * backed up stays, too, and nothing at all is removed when the run's record is not whole. What was removed is named in
 * `deleted/{slice}.jsonl`.
 */
export async function deleteExtra(
  ref: SliceRef,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Slice> {
  const ledger = new Ledger(service, ref.run);
  const before = await readSlice(ledger, ref);
  if (before) return before;
  const { request, source, realTo } = ref;
  const refused = await refusedTarget({ to: request.to, realTo }, settings);
  if (refused !== undefined) return { tally: { ...emptyTally(), stopped: refused }, deleted: 0 };
  let names;
  try {
    names = await RunNames.read(service, source);
  } catch (error) {
    if (!(error instanceof IncompleteRun)) throw error;
    const stopped = `Nothing was deleted or restored: "delete" needs a run whose record is whole, and ${error.message}.`;
    return { tally: { ...emptyTally(), stopped }, deleted: 0 };
  }
  const last = ref.slice === 0 ? undefined : await readSlice(ledger, { ...ref, slice: ref.slice - 1 });
  const asked = createSelection(request.include, request.exclude);
  const removal = new Removal(realTo, names, [asked, createSelection(source.include, source.exclude)], {
    dryRun: request.dryRun,
    inTheWay: ref.inTheWay === true,
    until: performance.now() + settings.listMs,
    fileTimeoutMs: settings.fileTimeoutMs,
  });
  await removal.run(last);
  return await settleSlice(ledger, ref, removal, asked.matched());
}

function nameOf({ slice, inTheWay }: Pick<SliceRef, "slice" | "inTheWay">): string {
  return inTheWay ? `deleted/before-${slice}` : `deleted/${slice}`;
}

async function readSlice(ledger: Ledger, ref: SliceRef): Promise<Slice | undefined> {
  const text = await ledger.read(`${nameOf(ref)}.json`);
  return text === undefined ? undefined : (JSON.parse(text) as Slice);
}

async function settleSlice(
  ledger: Ledger,
  ref: SliceRef,
  removal: Removal,
  matched: number[],
): Promise<Slice> {
  const { deleted, failures, reached, emptied } = removal;
  if (deleted.length > 0) await ledger.writeOnce(`${nameOf(ref)}.jsonl`, toLines(deleted));
  const record = `outcomes/deleted-${ref.inTheWay ? "before-" : ""}${String(ref.slice).padStart(4, "0")}.jsonl`;
  const tally = failures.length > 0 ? await settleOutcomes(ledger, record, failures) : emptyTally();
  if (matched.length > 0) tally.matched = matched;
  const slice: Slice = {
    tally,
    deleted: deleted.length,
    ...(reached === undefined ? {} : { reached }),
    ...(emptied.length === 0 ? {} : { emptied }),
  };
  const { won } = await ledger.writeOnce(`${nameOf(ref)}.json`, JSON.stringify(slice));
  return won ? slice : ((await readSlice(ledger, ref)) ?? slice);
}

interface Options {
  dryRun: boolean;
  inTheWay: boolean;
  until: number;
  fileTimeoutMs: number;
}

/** Walks a directory in the order of its names, and removes what is extra. */
class Removal {
  readonly deleted: { path: string; kind: "file" | "directory" }[] = [];
  readonly failures: Outcome[] = [];
  /** Where the time was up; undefined when all was looked at. */
  reached: string | undefined;
  /** See Slice. */
  readonly emptied: string[] = [];
  #emptiedBefore: ReadonlySet<string> = new Set();
  #last = "";
  readonly #realTo: string;
  readonly #names: RunNames;
  readonly #selections: Selection[];
  readonly #options: Options;
  readonly #turn = takingTurns();

  constructor(realTo: string, names: RunNames, selections: Selection[], options: Options) {
    this.#realTo = realTo;
    this.#names = names;
    this.#selections = selections;
    this.#options = options;
  }

  /** @param last the slice before this one */
  async run(last: Slice | undefined): Promise<void> {
    this.#emptiedBefore = new Set(last?.emptied);
    await this.#walk("", last?.reached?.split("/") ?? [], !this.#options.inTheWay);
  }

  /**
   * @param all whether whatever is extra in it goes, or only what is in the way
   * @returns whether everything in it was removed
   */
  async #walk(portable: string, after: readonly string[], all: boolean): Promise<boolean> {
    let directory: PinnedDirectory;
    try {
      directory = await awaitingHandles(() => this.#open(portable));
    } catch (error) {
      if (portable === "" && (error as NodeJS.ErrnoException).code === "ENOENT") return false;
      this.#fail(portable, "directory", error);
      return false;
    }
    const before = this.deleted.length;
    let stats: Stats | undefined;
    try {
      stats = await this.#timed(directory.stat());
      const children = await awaitingHandles(() => this.#timed(childrenOf(directory)));
      let empty = true;
      for (const child of children) {
        await this.#turn();
        const [done] = after;
        if (done !== undefined && (child.name < done || (child.name === done && after.length === 1))) {
          // Another slice has looked at it, and left it: else it would not be here, but in a dry run.
          empty = this.#emptiedBefore.has(portable);
          continue;
        }
        const below = portable === "" ? child.name : `${portable}/${child.name}`;
        if (performance.now() > this.#options.until && this.#last !== "" && this.#last !== below) {
          this.reached ??= this.#last;
          return this.#stop(portable, empty);
        }
        const removed = child.isDirectory
          ? await this.#directory(directory, child, below, child.name === done ? after.slice(1) : [], all)
          : await this.#file(directory, child, below, all);
        if (this.reached !== undefined) return this.#stop(portable, empty);
        this.#last = below;
        if (!removed) empty = false;
      }
      return empty;
    } catch (error) {
      this.#fail(portable, "directory", error);
      return false;
    } finally {
      if (stats && this.deleted.length > before) await this.#keepTime(directory, stats);
      await tidyInTime(directory.close(), this.#options.fileTimeoutMs);
    }
  }

  /**
   * A directory that the run has as an empty one was given its time when it was restored, before this. Where the time
   * cannot be set, what was deleted is deleted all the same.
   */
  async #keepTime(directory: PinnedDirectory, stats: Stats): Promise<void> {
    if (this.#options.dryRun) return;
    await this.#timed(setTime(directory, mtimeOf(stats))).catch(() => undefined);
  }

  /** Keeps for the next slice what a dry run does not leave on the disk. */
  #stop(portable: string, empty: boolean): false {
    if (this.#options.dryRun && empty) this.emptied.push(portable);
    return false;
  }

  async #file(directory: PinnedDirectory, { name }: Name, portable: string, all: boolean): Promise<boolean> {
    if (!all && !this.#names.directory(portable)) return false;
    if (this.#names.file(portable) || this.#names.missed(portable)) return false;
    if (!this.#selections.every((selection) => selection.file(portable))) return false;
    return await this.#remove(portable, "file", directory, () => unlink(directory.path(name)));
  }

  async #directory(
    directory: PinnedDirectory,
    { name }: Name,
    portable: string,
    after: readonly string[],
    all: boolean,
  ): Promise<boolean> {
    const isInTheWay = this.#names.file(portable);
    if (!all && !isInTheWay && !this.#names.directory(portable)) return false;
    if (this.#names.missed(portable)) return false;
    const emptied = await this.#walk(portable, after, all || isInTheWay);
    if (!emptied || this.reached !== undefined || this.#names.directory(portable)) return false;
    if (!this.#selections.every((selection) => selection.directory(portable))) return false;
    return await this.#remove(portable, "directory", directory, () => rmdir(directory.path(name)));
  }

  async #remove(
    portable: string,
    kind: "file" | "directory",
    from: PinnedDirectory,
    remove: () => Promise<void>,
  ): Promise<boolean> {
    try {
      if (!this.#options.dryRun) await this.#timed(whileWritable(from, remove).catch(ignore("ENOENT")));
      this.deleted.push({ path: portable, kind });
      return true;
    } catch (error) {
      this.#fail(portable, kind, error);
      return false;
    }
  }

  async #open(portable: string): Promise<PinnedDirectory> {
    const opening = PinnedDirectory.open(this.#realTo, portable);
    return await withTimeout(opening, this.#options.fileTimeoutMs, "opening it", (late) => late.close());
  }

  async #timed<T>(operation: Promise<T>): Promise<T> {
    return await withTimeout(operation, this.#options.fileTimeoutMs, "looking for what is extra");
  }

  #fail(path: string, kind: Outcome["kind"], error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = `it could not be deleted: ${code === undefined ? message : fileError(code)}`;
    this.failures.push({ path, kind, outcome: "failed", size: 0, reason });
  }
}

/** The names in a directory, in order. */
async function childrenOf(directory: PinnedDirectory): Promise<Name[]> {
  const names = await directory.names(true);
  return names.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
