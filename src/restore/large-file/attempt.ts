import { createHash } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import type { Budget } from "../../backup/budget.ts";
import { Ledger } from "../../ledger/ledger.ts";
import type { Settings } from "../../settings.ts";
import type { Source } from "../find-content.ts";
import { readPlan, type Plan, type PlannedItem } from "../plan.ts";
import type { RestoreRequest } from "../request.ts";
import type { RestoreContext } from "../restore-file.ts";

/** One large file of a plan, as an orchestration is given it. */
export interface LargeRestoreRef {
  run: string;
  part: string;
  large: number;
}

/** One try at it. */
export interface RestoreAttemptRef extends LargeRestoreRef {
  attempt: number;
}

/** How one attempt restores the file; written once, so that all activities write the same temporary file. */
export interface RestoreAttempt {
  /** The name of the temporary file, in the directory of the file. */
  temporary: string;
  source: Source;
}

/** What the activities of a large file work with. */
export interface LargeRestore {
  ledger: Ledger;
  plan: Plan<RestoreRequest>;
  item: PlannedItem;
  context: RestoreContext;
}

/** The large file of a plan; undefined when the plan has no so many. */
export async function openLargeRestore(
  { run, part, large }: LargeRestoreRef,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<LargeRestore | undefined> {
  const ledger = new Ledger(service, run);
  const plan = await readPlan<RestoreRequest>(ledger, part);
  if (!plan) throw new Error(`The ledger of run ${run} has no part ${part}.`);
  const range = plan.large?.[large];
  const [item] = range ? await ledger.readLines<PlannedItem>(range) : [];
  if (!item) return undefined;
  const { request, source, realTo, versioned } = plan;
  const context: RestoreContext = {
    realTo,
    container: service.getContainerClient(source.container),
    prefix: source.prefix,
    versioned,
    overwrite: request.overwrite,
    dryRun: request.dryRun,
    mark: createHash("sha256").update(`${run}/${part}/large-${large}`).digest("hex").slice(0, 12),
    budget,
    fileTimeoutMs: settings.fileTimeoutMs,
  };
  return { ledger, plan, item, context };
}

export function outcomeName({ part, large }: LargeRestoreRef): string {
  return `outcomes/${part}-large-${String(large).padStart(4, "0")}.jsonl`;
}

function attemptName({ part, large, attempt }: RestoreAttemptRef): string {
  return `attempts/${part}-large-${large}-${attempt}.json`;
}

/** How an attempt restores the file; undefined when that was not decided yet. */
export async function readAttempt(
  ledger: Ledger,
  ref: RestoreAttemptRef,
): Promise<RestoreAttempt | undefined> {
  const text = await ledger.read(attemptName(ref));
  return text === undefined ? undefined : (JSON.parse(text) as RestoreAttempt);
}

/** Decides how an attempt restores the file, unless that was decided before; gives what stands. */
export async function settleAttempt(
  ledger: Ledger,
  ref: RestoreAttemptRef,
  attempt: RestoreAttempt,
): Promise<RestoreAttempt> {
  const { won } = await ledger.writeOnce(attemptName(ref), JSON.stringify(attempt));
  return won ? attempt : ((await readAttempt(ledger, ref)) ?? attempt);
}
