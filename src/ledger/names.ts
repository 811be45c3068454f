/**
 * The names of a run's blobs, below its folder `{runId}/` in the container `backup-runs`. Those of outcomes are fixed by what
 * they are of, so that each is recorded once, whatever is repeated.
 */

/** The run's summary. */
export const RUN_RECORD = "run.json";
/** Written again and again while a single huge file is all that is at work. */
export const ALIVE = "alive.json";
export const OUTCOMES_FOLDER = "outcomes/";
/** What a restore deleted. */
export const DELETED = "deleted/";

/** What was found in a part, and how it is handed out. @throws Error for a name that is none of a part */
export function listingName(part: string): string {
  if (!/^\d+(\.\d+)*$/.test(part) || part.length > 200)
    throw new Error(`"${part.slice(0, 64)}" is not a part's name.`);
  return `lists/${part}.json`;
}

/** The outcomes that were settled while a part was listed, or planned. */
export function listingOutcomes(part: string): string {
  return `${OUTCOMES_FOLDER}${part}${LISTED}`;
}

/** Whether outcomes were settled by listing alone: their files were never to be copied. */
export function isOfListing(name: string): boolean {
  return name.endsWith(LISTED);
}

const LISTED = "-listed.jsonl";

/** The directories of a part: those whose names it read, and those that it found in them. */
export function partDirectories(part: string): string {
  return `${OUTCOMES_FOLDER}${part}${DIRECTORIES}`;
}

/** Whether a record below `outcomes/` is of directories, and has no outcomes. */
export function isOfDirectories(name: string): boolean {
  return name.endsWith(DIRECTORIES);
}

const DIRECTORIES = "-directories.jsonl";

/** The part that a record below `outcomes/` is of; empty for one of no part. */
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

/** The outcomes of a slice of work that is not about batches. */
export function sliceOutcomes(work: string, slice: number): string {
  return `${OUTCOMES_FOLDER}${work}-${numbered(slice)}.jsonl`;
}

function numbered(number: number): string {
  return String(number).padStart(4, "0");
}
