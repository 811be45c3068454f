import { readdir, rmdir, unlink } from "node:fs/promises";
import type { BlobServiceClient } from "@azure/storage-blob";
import { fileError } from "../file-system/file-error.ts";
import { toPortablePath } from "../backup/blob-name.ts";
import { emptyTally, type Outcome, type Tally } from "../backup/outcome.ts";
import { awaitingHandles } from "../file-system/handles.ts";
import { tidyInTime, withTimeout } from "../file-system/timeout.ts";
import { Ledger, toLines } from "../ledger/ledger.ts";
import { settleOutcomes } from "../ledger/outcomes.ts";
import type { Settings } from "../settings.ts";
import { ignore, PinnedDirectory } from "../backup/pinned-directory.ts";
import { whileWritable } from "../file-system/writable-directory.ts";
import { readPlan, WHOLE_RUN } from "./plan.ts";
import { refusedTarget } from "./refused-target.ts";
import type { RestoreRequest } from "./request.ts";
import { IncompleteRun, RunNames } from "./run-names.ts";
import { createSelection, type Selection } from "./selection.ts";

/** One slice of the work, as an activity is given it: what one call manages in its time. */
export interface SliceRef {
  run: string;
  slice: number;
}

/** What came of a slice: written once as `deleted/{slice}.json`. */
export interface Slice {
  tally: Tally;
  /** Names that were removed (in a dry run: that would be). */
  deleted: number;
  /** The last name that was looked at, when there is more to look at. */
  reached?: string;
}

/**
 * Removes what the directory has and the run has not, for a bounded time. Only what the request's patterns and the
 * run's own cover is removed: what a backup left out it cannot bring back. What could not be backed up stays, too, and
 * nothing at all is removed when the run's record is not whole. What was removed is named in `deleted/{slice}.jsonl`.
 */
export async function deleteExtra(
  ref: SliceRef,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Slice> {
  const ledger = new Ledger(service, ref.run);
  const before = await readSlice(ledger, ref.slice);
  if (before) return before;
  const plan = await readPlan<RestoreRequest>(ledger, WHOLE_RUN);
  if (!plan) throw new Error(`The ledger of run ${ref.run} has no plan.`);
  const { request, source, realTo } = plan;
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
  const reached = ref.slice === 0 ? undefined : (await readSlice(ledger, ref.slice - 1))?.reached;
  const removal = new Removal(
    realTo,
    names,
    [createSelection(request.include, request.exclude), createSelection(source.include, source.exclude)],
    {
      dryRun: request.dryRun,
      until: performance.now() + settings.listMs,
      fileTimeoutMs: settings.fileTimeoutMs,
    },
  );
  await removal.run(reached);
  return await settleSlice(ledger, ref.slice, removal);
}

async function readSlice(ledger: Ledger, slice: number): Promise<Slice | undefined> {
  const text = await ledger.read(`deleted/${slice}.json`);
  return text === undefined ? undefined : (JSON.parse(text) as Slice);
}

async function settleSlice(ledger: Ledger, number: number, removal: Removal): Promise<Slice> {
  const { deleted, failures, reached } = removal;
  if (deleted.length > 0) await ledger.writeOnce(`deleted/${number}.jsonl`, toLines(deleted));
  const record = `outcomes/deleted-${String(number).padStart(4, "0")}.jsonl`;
  const tally = failures.length > 0 ? await settleOutcomes(ledger, record, failures) : emptyTally();
  const slice: Slice = { tally, deleted: deleted.length, ...(reached === undefined ? {} : { reached }) };
  const { won } = await ledger.writeOnce(`deleted/${number}.json`, JSON.stringify(slice));
  return won ? slice : ((await readSlice(ledger, number)) ?? slice);
}

/** Walks a directory in the order of its names, and removes what is extra. */
class Removal {
  readonly deleted: { path: string; kind: "file" | "directory" }[] = [];
  readonly failures: Outcome[] = [];
  /** Where the time was up; undefined when all was looked at. */
  reached: string | undefined;
  #last = "";
  readonly #realTo: string;
  readonly #names: RunNames;
  readonly #selections: Selection[];
  readonly #options: { dryRun: boolean; until: number; fileTimeoutMs: number };

  constructor(
    realTo: string,
    names: RunNames,
    selections: Selection[],
    options: { dryRun: boolean; until: number; fileTimeoutMs: number },
  ) {
    this.#realTo = realTo;
    this.#names = names;
    this.#selections = selections;
    this.#options = options;
  }

  /** @param after the last name that another slice looked at */
  async run(after: string | undefined): Promise<void> {
    await this.#walk("", after?.split("/") ?? []);
  }

  /** @returns whether everything in it was removed */
  async #walk(portable: string, after: readonly string[]): Promise<boolean> {
    let directory: PinnedDirectory;
    try {
      directory = await awaitingHandles(() => this.#open(portable));
    } catch (error) {
      if (portable === "" && (error as NodeJS.ErrnoException).code === "ENOENT") return false;
      this.#fail(portable, "directory", error);
      return false;
    }
    try {
      const listed = directory.path(".");
      const children = await awaitingHandles(() => this.#timed(readdir(listed, { withFileTypes: true })));
      children.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
      let empty = true;
      for (const child of children) {
        const [done] = after;
        if (done !== undefined && (child.name < done || (child.name === done && after.length === 1))) {
          // Another slice has looked at it, and left it: else it would not be here.
          empty = false;
          continue;
        }
        if (performance.now() > this.#options.until && this.#last !== "") {
          this.reached ??= this.#last;
          return false;
        }
        const name = toPortablePath(child.name, "/");
        const below = portable === "" ? name : `${portable}/${name}`;
        const removed = child.isDirectory()
          ? await this.#directory(directory, name, below, child.name === done ? after.slice(1) : [])
          : await this.#file(directory, name, below);
        if (!removed) empty = false;
        if (this.reached !== undefined) return false;
      }
      return empty;
    } catch (error) {
      this.#fail(portable, "directory", error);
      return false;
    } finally {
      await tidyInTime(directory.close(), this.#options.fileTimeoutMs);
    }
  }

  async #file(directory: PinnedDirectory, name: string, portable: string): Promise<boolean> {
    this.#last = portable;
    if (this.#names.file(portable) || this.#names.missed(portable)) return false;
    if (!this.#selections.every((selection) => selection.file(portable))) return false;
    return await this.#remove(portable, "file", directory, () => unlink(directory.path(name)));
  }

  async #directory(
    directory: PinnedDirectory,
    name: string,
    portable: string,
    after: readonly string[],
  ): Promise<boolean> {
    if (this.#names.missed(portable)) return false;
    const emptied = await this.#walk(portable, after);
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
