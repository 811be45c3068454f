/**
 * The names of a run's blobs in its folder `{runId}/` in the container `backup-runs`. The name of an outcome blob follows from
 * the work it is of, so work that is repeated is recorded once.
 */

/** The run's summary. */
export const RUN_RECORD = "run.json";
/** The heartbeat, written while a run does nothing but copy a huge file. */
export const ALIVE = "alive.json";
export const OUTCOMES_FOLDER = "outcomes/";
/** What a restore deleted. */
export const DELETED = "deleted/";
/** What an attempt found, for the attempts after it. */
export const ATTEMPTS = "attempts/";
/** What vanished, by a mark of its path. */
export const GONE = "gone/";

/** The record of a part. @throws Error if `part` is not a part's name */
export function listingName(part: string): string {
  if (!/^\d+(\.\d+)*$/.test(part) || part.length > 200)
    throw new Error(`"${part.slice(0, 64)}" is not a part's name.`);
  return `lists/${part}.json`;
}

/** The outcomes settled while a part was listed or planned. */
export function listingOutcomes(part: string): string {
  return `${OUTCOMES_FOLDER}${part}${LISTED}`;
}

/** Whether a record's outcomes were settled by listing alone. */
export function isOfListing(name: string): boolean {
  return name.endsWith(LISTED);
}

const LISTED = "-listed.jsonl";

/** The directories of a part: those whose names it read, and those that it found in them. */
export function partDirectories(part: string): string {
  return `${OUTCOMES_FOLDER}${part}${DIRECTORIES}`;
}

/** Whether a record in `outcomes/` lists directories, and has no outcomes. */
export function isOfDirectories(name: string): boolean {
  return name.endsWith(DIRECTORIES);
}

const DIRECTORIES = "-directories.jsonl";

/** The part that a record in `outcomes/` belongs to; empty if it belongs to none. */
export function partOfRecord(name: string): string {
  return /^outcomes\/(\d+(?:\.\d+)*)-/.exec(name)?.[1] ?? "";
}

/** The outcomes of a batch. */
export function batchOutcomes({ part, batch }: { part: string; batch: number }): string {
  return `${OUTCOMES_FOLDER}${part}-${numbered(batch)}.jsonl`;
}

/** The outcome of a large file. */
export function largeOutcome({ part, large }: { part: string; large: number }): string {
  return `${OUTCOMES_FOLDER}${part}-large-${numbered(large)}.jsonl`;
}

/** The outcomes of a slice of work. */
export function sliceOutcomes(work: string, slice: number): string {
  return `${OUTCOMES_FOLDER}${work}-${numbered(slice)}.jsonl`;
}

function numbered(number: number): string {
  return String(number).padStart(4, "0");
}
