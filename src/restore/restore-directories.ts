import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { z } from "zod";
import { fileError } from "../file-system/file-error.ts";
import { modeOf } from "../backup/entry.ts";
import { awaitingHandles } from "../file-system/handles.ts";
import { emptyTally, type Outcome, type Tally } from "../backup/outcome.ts";
import { NotADirectory, PinnedDirectory } from "../backup/pinned-directory.ts";
import { withTimeout } from "../file-system/timeout.ts";
import { DamagedRecord, mode, mtime, NewerLedger, ofDamaged } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { readListing } from "../ledger/listing.ts";
import { settleOutcomes } from "../ledger/outcomes.ts";
import { inTurns } from "../model/in-turns.ts";
import type { Settings } from "../settings.ts";
import { classify } from "../storage/errors.ts";
import { hasTime, PERMISSIONS, setTime } from "./file-times.ts";
import { WHOLE_RUN, type PlanBase } from "./plan.ts";
import { refusedTarget } from "./refused-target.ts";
import type { RestoreRequest } from "./request.ts";
import { unsafePath } from "./safe-path.ts";
import { createSelection } from "./selection.ts";

/** One slice of the work, as an activity is given it: what one call manages in its time. */
export interface DirectoriesRef extends PlanBase<RestoreRequest> {
  run: string;
  slice: number;
}

/** What came of a slice: written once as `lists/directories-{slice}.json`. */
export interface DirectoriesSlice {
  tally: Tally;
  /** Parts of the source run that are seen to, when there are more. */
  reached?: number;
}

/** Directories that are set at a time. */
const AT_A_TIME = 16;

const line = z.object({ path: z.string().max(32_767), mtime, mode });
type Directory = z.infer<typeof line>;

/**
 * Gives directories that are not empty their mode and time of change back, when all that is in them is restored: for
 * that changes the one, and the other may forbid it. What lies deeper comes first. Directories of which the restore
 * made or found nothing are left alone, as all are with overwrite "never"; so is the one that is restored into, unless
 * the restore made it, and of the whole run.
 */
export async function restoreDirectories(
  ref: DirectoriesRef,
  service: BlobServiceClient,
  settings: Settings,
): Promise<DirectoriesSlice> {
  const ledger = new Ledger(service, ref.run);
  const before = await readSlice(ledger, ref.slice);
  if (before) return before;
  const { request, source, realTo, made } = ref;
  if (request.dryRun || request.overwrite === "never") return { tally: emptyTally() };
  const refused = await refusedTarget({ to: request.to, realTo }, settings);
  if (refused !== undefined) return { tally: { ...emptyTally(), stopped: refused } };
  const sourceLedger = new Ledger(service, source.id);
  // A part lies nowhere above the one that left it: the last parts are the deepest.
  const parts = (await partsOf(sourceLedger)).reverse();
  const first = ref.slice === 0 ? 0 : ((await readSlice(ledger, ref.slice - 1))?.reached ?? parts.length);
  const selections = [
    createSelection(request.include, request.exclude),
    createSelection(source.include, source.exclude),
  ];
  const covers = (directory: string): boolean =>
    directory === ""
      ? made === true && request.include.length === 0
      : unsafePath(directory) === undefined && selections.every((some) => some.directory(directory));
  const until = performance.now() + settings.listMs;
  const outcomes: Outcome[] = [];
  let part = first;
  while (part < parts.length && (part === first || performance.now() < until)) {
    const directories = await directoriesOf(sourceLedger, parts[part]!, outcomes);
    const covered = await inTurns(directories, ({ path }) => covers(path));
    const chosen = directories.filter((_directory, index) => covered[index]);
    await setAll(chosen, realTo, settings.fileTimeoutMs, outcomes);
    part++;
  }
  const record = `outcomes/directories-${String(ref.slice).padStart(4, "0")}.jsonl`;
  const tally = outcomes.length > 0 ? await settleOutcomes(ledger, record, outcomes) : emptyTally();
  const slice: DirectoriesSlice = { tally, ...(part < parts.length ? { reached: part } : {}) };
  const { won } = await ledger.writeOnce(sliceName(ref.slice), JSON.stringify(slice));
  return won ? slice : ((await readSlice(ledger, ref.slice)) ?? slice);
}

function sliceName(slice: number): string {
  return `lists/directories-${slice}.json`;
}

async function readSlice(ledger: Ledger, slice: number): Promise<DirectoriesSlice | undefined> {
  const text = await ledger.read(sliceName(slice));
  return text === undefined ? undefined : (JSON.parse(text) as DirectoriesSlice);
}

/** The parts of a run's listing that can be read, each before those that it left. What is damaged the plan has named. */
async function partsOf(ledger: Ledger): Promise<string[]> {
  const parts = [WHOLE_RUN];
  for (const part of parts) {
    const listing = await readListing(ledger, part).catch(ofUnreadable);
    parts.push(...(listing?.rest ?? []).map((_range, index) => `${part}.${index}`));
  }
  return parts;
}

async function directoriesOf(ledger: Ledger, part: string, outcomes: Outcome[]): Promise<Directory[]> {
  const range = (await readListing(ledger, part).catch(ofUnreadable))?.directories;
  if (!range) return [];
  const name = `${ledger.runId}/${range.list}`;
  try {
    const lines = await ledger.readLines(range);
    return lines.flatMap((value) => {
      const { success, data } = line.safeParse(value);
      if (!success)
        outcomes.push(failed(name, `a line of it is damaged: ${JSON.stringify(value).slice(0, 300)}`));
      return success ? [data] : [];
    });
  } catch (error) {
    if (!(error instanceof DamagedRecord) && classify(error) !== "missing") throw error;
    outcomes.push(failed(name, "the record of directories is damaged or missing"));
    return [];
  }
}

function ofUnreadable(error: unknown): undefined {
  return error instanceof NewerLedger ? undefined : ofDamaged(error);
}

async function setAll(
  directories: readonly Directory[],
  realTo: string,
  fileTimeoutMs: number,
  outcomes: Outcome[],
): Promise<void> {
  const byDepth = new Map<number, Directory[]>();
  for (const directory of directories) {
    const depth = directory.path === "" ? 0 : directory.path.split("/").length;
    const alike = byDepth.get(depth);
    if (alike) alike.push(directory);
    else byDepth.set(depth, [directory]);
  }
  for (const depth of [...byDepth.keys()].sort((a, b) => b - a)) {
    await pMap(
      byDepth.get(depth) ?? [],
      async (directory) => {
        try {
          const note = await awaitingHandles(() =>
            withTimeout(setOne(directory, realTo), fileTimeoutMs, "setting its mode"),
          );
          if (note !== undefined) outcomes.push({ ...failed(directory.path, note), outcome: "copied" });
        } catch (error) {
          const { code, message } = error as NodeJS.ErrnoException;
          // It is not there, or something else is, which is then a failure of its own.
          if (code === "ENOENT" || error instanceof NotADirectory) return;
          outcomes.push(failed(directory.path, code === undefined ? message : fileError(code)));
        }
      },
      { concurrency: AT_A_TIME },
    );
  }
}

/** @returns what there is to say of it */
async function setOne({ path, mode, mtime }: Directory, realTo: string): Promise<string | undefined> {
  const directory = await PinnedDirectory.open(realTo, path);
  try {
    const now = await directory.stat();
    if ((modeOf(now) & PERMISSIONS) === (mode & PERMISSIONS) && hasTime(now, mtime)) return undefined;
    await directory.chmod(mode & PERMISSIONS);
    const note = await setTime(directory, mtime);
    await directory.sync().catch(() => undefined);
    return note;
  } finally {
    await directory.close();
  }
}

function failed(path: string, reason: string): Outcome {
  return { path, kind: "directory", outcome: "failed", size: 0, reason };
}
