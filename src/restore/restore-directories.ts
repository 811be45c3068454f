import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import type { DirectoryLine } from "../ledger/directories.ts";
import { Ledger, type ListRange } from "../ledger/ledger.ts";
import { sliceOutcomes } from "../ledger/names.ts";
import { settleOutcomes } from "../ledger/outcomes.ts";
import { readPart, WHOLE } from "../ledger/part-record.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { tally } from "../ledger/schemas.ts";
import { settleSlice } from "../ledger/settle-steps.ts";
import { listedDirectories, listingsOf } from "../manifest/listings.ts";
import { planRecord, type Plan, type PlanOwn } from "../manifest/plan-record.ts";
import { createSelection } from "../model/filter.ts";
import { inTurns } from "../model/in-turns.ts";
import { emptyTally, failed, type Outcome, type Tally } from "../model/outcome.ts";
import { parentPath } from "../model/path.ts";
import { Recent } from "../model/recent.ts";
import { unsafePath } from "../model/safe-path.ts";
import type { Settings } from "../settings.ts";
import type { RestoreRequest } from "./request.ts";
import { refusedTarget } from "./restore-error.ts";
import { setDirectories, type RecordedDirectory } from "./set-directories.ts";

/** An activity's input: one slice of the work. */
interface DirectoriesRef extends PlanOwn {
  run: string;
  request: RestoreRequest;
  slice: number;
  /** Set only directories that the restore made: it ended early, or was canceled. */
  onlyMade?: boolean;
}

/** A slice's record, written once as `lists/directories-{slice}.json`. */
interface DirectoriesSlice {
  tally: Tally;
  /** Number of the source run's lists done, if there are more. */
  reached?: number;
}

/** What a restore's slices need, by restore. They read it once in each process. */
const recent = new Recent<{ lists: ListRange[]; makes: Set<string> }>(2);

const sliceRecord = z.looseObject({ tally, reached: z.number().optional() });

/**
 * Sets modes and times of directories, deepest first, once everything in them is restored: that changes the time, and the
 * mode may forbid it. All directories that the restore made are set. Existing ones are set only if the request and the run
 * cover them; the target and, with overwrite "never", all existing ones are left alone.
 */
export async function restoreDirectories(
  ref: DirectoriesRef,
  service: BlobServiceClient,
  settings: Settings,
): Promise<DirectoriesSlice> {
  const ledger = new Ledger(service, ref.run);
  // Directories that a canceled restore made still get their modes.
  const isOnlyMade = ref.onlyMade === true || (await isCanceled(ledger));
  const name = isOnlyMade ? "made-directories" : "directories";
  const kind = {
    nameOf: (slice: number) => `lists/${name}-${slice}.json`,
    record: sliceRecord,
    nothing: {},
  };
  return await settleSlice<DirectoriesSlice>(ledger, ref.slice, kind, async (last) => {
    const { request, source, realTo, made } = ref;
    const refused = await refusedTarget({ to: request.to, realTo }, settings);
    if (refused !== undefined) return refused;
    const sourceLedger = new Ledger(service, source.id);
    const { lists, makes } = await recent.get(ref.run, async () => ({
      lists: await listsOf(sourceLedger),
      makes: await madeDirectories(ledger),
    }));
    const first = last?.reached ?? 0;
    const selections = [createSelection(request), createSelection(source)];
    const onlyMade = isOnlyMade || request.overwrite === "never";
    const covers = (directory: string): boolean => {
      if (directory === "") return made === true;
      if (unsafePath(directory) !== undefined) return false;
      for (let above = directory; above !== ""; above = parentPath(above)) if (makes.has(above)) return true;
      return !onlyMade && selections.every((some) => some.directory(directory));
    };
    const until = performance.now() + settings.listMs;
    const outcomes: Outcome[] = [];
    let list = first;
    while (list < lists.length && (list === first || performance.now() < until)) {
      const lines = await listedDirectories(sourceLedger, lists[list], (name, reason) =>
        outcomes.push(failed({ path: `${source.id}/${name}`, kind: "directory" }, reason)),
      );
      const directories = lines.flatMap(asRead);
      const covered = await inTurns(directories, ({ path }) => covers(path));
      const chosen = directories.filter((_directory, index) => covered[index]);
      outcomes.push(...(await setDirectories(chosen, realTo, settings.fileTimeoutMs)));
      list++;
    }
    const record = sliceOutcomes(name, ref.slice);
    const settled = outcomes.length > 0 ? await settleOutcomes(ledger, record, outcomes) : emptyTally();
    return { tally: settled, ...(list < lists.length ? { reached: list } : {}) };
  });
}

function asRead({ path, mtime, mode, left }: DirectoryLine): RecordedDirectory[] {
  return left || mtime === undefined || mode === undefined ? [] : [{ path, mtime, mode }];
}

/** The lists of directories of a backup. No part lies above the one that left it, so its last parts are the deepest. */
async function listsOf(ledger: Ledger): Promise<ListRange[]> {
  const lists: ListRange[] = [];
  for await (const { listing } of listingsOf(ledger))
    if (listing?.directories) lists.push(listing.directories);
  return lists.reverse();
}

/** The directories that this restore makes, from its plans, without those in them. */
async function madeDirectories(ledger: Ledger): Promise<Set<string>> {
  const made = new Set<string>();
  const parts = [WHOLE];
  for (const part of parts) {
    const plan = await readPart<Plan>(ledger, part, planRecord);
    if (plan?.makes)
      for (const path of await ledger.readLines<string>(plan.makes, z.string())) made.add(path);
    parts.push(...(plan?.rest ?? []).map((_range, index) => `${part}.${index}`));
  }
  return made;
}
