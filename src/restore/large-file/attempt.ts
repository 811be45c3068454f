import type { BlobServiceClient } from "@azure/storage-blob";
import type { Budget } from "../../backup/budget.ts";
import { Ledger } from "../../ledger/ledger.ts";
import { isCanceled } from "../../ledger/run-record.ts";
import type { Settings } from "../../settings.ts";
import type { Source } from "../find-content.ts";
import { openLarge, type LargeRef, type Plan, type PlannedItem } from "../plan.ts";
import { refusedTarget } from "../refused-target.ts";
import type { RestoreRequest } from "../request.ts";
import { restoreContext } from "../restore-context.ts";
import type { RestoreContext } from "../restore-file.ts";

/** One try at it. */
export interface RestoreAttemptRef extends LargeRef {
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
  /** The restore was canceled: nobody waits for it any more. */
  canceled: boolean;
}

/** The large file of a plan; undefined when the plan has no so many. */
export async function openLargeRestore(
  ref: LargeRef,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<LargeRestore | undefined> {
  const ledger = new Ledger(service, ref.run);
  const opened = await openLarge<RestoreRequest>(ledger, ref);
  if (!opened) return undefined;
  const { plan, item } = opened;
  const work = `${ref.run}/${ref.part}/large-${ref.large}`;
  const context = restoreContext(plan, work, { service, settings, budget });
  return { ledger, plan, item, context, canceled: await isCanceled(ledger) };
}

/** Why nothing must be written where a large file belongs, for people; see refusedTarget. */
export async function refusalOf({ plan }: LargeRestore, settings: Settings): Promise<string | undefined> {
  return await refusedTarget({ to: plan.request.to, realTo: plan.realTo }, settings);
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
