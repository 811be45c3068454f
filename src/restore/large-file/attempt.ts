import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import type { Budget } from "../../storage/budget.ts";
import { ChangedRecord, fileSize, readRecord } from "../../ledger/damaged.ts";
import { Ledger } from "../../ledger/ledger.ts";
import { isCanceled } from "../../ledger/run-record.ts";
import type { Settings } from "../../settings.ts";
import type { Source } from "../../model/source.ts";
import { openLarge, type LargeRef } from "../../ledger/parts.ts";
import { plannedItem, type PlannedItem } from "../../manifest/planned-item.ts";
import { refusedTarget } from "../refused-target.ts";
import { restoreContext } from "../restore-context.ts";
import type { RestoreScope } from "../restore-scope.ts";
import type { RestoreContext } from "../restore-context.ts";
import { isTemporaryOf } from "../temporary-name.ts";

/** One large file, and where it is restored to. */
export type LargeRestoreRef = LargeRef & RestoreScope;

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
  scope: RestoreScope;
  item: PlannedItem;
  context: RestoreContext;
  /** The restore was canceled: nobody waits for it any more. */
  canceled: boolean;
}

/** The large file; undefined after the last of its lane. */
export async function openLargeRestore(
  ref: LargeRestoreRef,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<LargeRestore | undefined> {
  const ledger = new Ledger(service, ref.run);
  const item = await openLarge<PlannedItem>(ledger, ref, plannedItem);
  if (!item) return undefined;
  const work = `${ref.run}/${ref.part}/large-${ref.large}`;
  const context = restoreContext(ref, work, { service, settings, budget });
  return { ledger, scope: ref, item, context, canceled: await isCanceled(ledger) };
}

/** Why nothing must be written where a large file belongs, for people; see refusedTarget. */
export async function refusalOf({ scope }: LargeRestore, settings: Settings): Promise<string | undefined> {
  return await refusedTarget({ to: scope.target, realTo: scope.realTo }, settings);
}

function attemptName({ part, large, attempt }: RestoreAttemptRef): string {
  return `attempts/${part}-large-${large}-${attempt}.json`;
}

const schema = z.looseObject({ temporary: z.string(), source: z.looseObject({ length: fileSize }) });

/**
 * How an attempt restores the file; undefined when that was not decided yet.
 * @throws ChangedRecord where it names what is no temporary file of this work
 */
export async function readAttempt(
  { ledger, context }: LargeRestore,
  ref: RestoreAttemptRef,
): Promise<RestoreAttempt | undefined> {
  const text = await ledger.read(attemptName(ref));
  if (text === undefined) return undefined;
  const name = `${ledger.runId}/${attemptName(ref)}`;
  const attempt = readRecord<RestoreAttempt>(text, schema, name);
  if (!isTemporaryOf(context.mark, attempt.temporary)) throw new ChangedRecord(name);
  return attempt;
}

/** Decides how an attempt restores the file, unless that was decided before; gives what stands. */
export async function settleAttempt(
  large: LargeRestore,
  ref: RestoreAttemptRef,
  attempt: RestoreAttempt,
): Promise<RestoreAttempt> {
  const { won } = await large.ledger.writeOnce(attemptName(ref), JSON.stringify(attempt));
  return won ? attempt : ((await readAttempt(large, ref)) ?? attempt);
}
