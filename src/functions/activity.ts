import type { InvocationContext } from "@azure/functions";
import type { BlobServiceClient } from "@azure/storage-blob";
import * as df from "durable-functions";
import { Ledger } from "../ledger/ledger.ts";
import { addThrottled, logTally, tallyIn } from "../ledger/log-tally.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { services } from "../services.ts";
import type { Settings } from "../settings.ts";
import type { Budget } from "../storage/budget.ts";
import { toUserError } from "../storage/errors.ts";
import { countThrottled } from "../storage/retries.ts";
import type { Values } from "../telemetry/line.ts";

type Log = Pick<InvocationContext, "info" | "warn" | "error">;

/** An activity's input: the run, and which piece of it. */
interface Ref {
  run: string;
}

type Work<Input extends Ref, Result> = (
  ref: Input,
  storage: BlobServiceClient,
  settings: Settings,
  budget: Budget,
  log: Log,
) => Promise<Result>;

interface Options<Input, Result> {
  /** The event to log with the tally, such as `batch.copied`. */
  event?: string;
  /** The record of the outcomes, read if more files failed than the tally names. */
  record?: (ref: Input) => string;
  /** What to log beside the tally. */
  values?: (result: Result) => Values;
  /** The result if the run was canceled. Without it the work is done all the same. */
  whenCanceled?: Result;
}

/** Registers an activity: skips what a canceled run need not do, counts throttling, logs the tally, explains errors. */
export function activity<Input extends Ref, Result>(
  name: string,
  work: Work<Input, Result>,
  { event, record, values, whenCanceled }: Options<Input, Result> = {},
): void {
  df.app.activity(name, {
    handler: async (ref: Input, log): Promise<Result> => {
      const { storage, settings, budget } = services;
      try {
        if (whenCanceled !== undefined && (await isCanceled(new Ledger(storage, ref.run))))
          return whenCanceled;
        const { result, throttled } = await countThrottled(() => work(ref, storage, settings, budget, log));
        const tally = tallyIn(result);
        addThrottled(result, throttled);
        if (event !== undefined && tally)
          await logTally(log, storage, event, { ...placeOf(ref), ...values?.(result) }, tally, record?.(ref));
        return result;
      } catch (error) {
        // Its message becomes part of the run's.
        throw toUserError(error);
      }
    },
  });
}

function placeOf(ref: Ref) {
  const { run, part, batch, large, lane, slice } = ref as Ref & Record<string, string | number | undefined>;
  return { run, part, batch, large, lane, slice };
}
