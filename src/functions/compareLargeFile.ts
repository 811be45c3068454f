import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { compareOn, type Compared, type Comparing } from "../backup/large-file/compare.ts";
import type { AttemptRef } from "../backup/large-file/plan.ts";
import { Ledger } from "../ledger/ledger.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { showLife } from "../ledger/sign-of-life.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { services } from "../services.ts";

/** Goes on comparing a large file with its blob; records it where it is unchanged. */
df.app.activity("compareLargeFile", {
  handler: async (ref: AttemptRef & Comparing, context: InvocationContext): Promise<Compared> => {
    const { storage, settings, budget } = services;
    const { run, part, large } = ref;
    const ledger = new Ledger(storage, run);
    // Nobody waits for the answer then.
    if (await isCanceled(ledger)) return "changed";
    const compared = await compareOn(ref, storage, settings, budget);
    if (typeof compared === "object" && "settled" in compared)
      await logTally(context, "large.settled", { run, part, large }, compared.settled);
    if (typeof compared === "object" && "comparing" in compared)
      await showLife(ledger, ref.position, compared.comparing.position);
    return compared;
  },
});
