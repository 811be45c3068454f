import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { Ledger } from "../ledger/ledger.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { showLife } from "../ledger/sign-of-life.ts";
import { logTally } from "../telemetry/log-tally.ts";
import { largeOutcome, type LargeRef } from "../manifest/plan.ts";
import { services } from "../services.ts";
import type { VerifyScope } from "../verify/verify-scope.ts";
import { verifySpan, type Reading, type SpanVerified } from "../verify/verify-span.ts";

/** Reads on in a large file, for a bounded time; records the outcome at its end. */
df.app.activity("verifySpan", {
  handler: async (
    ref: LargeRef & VerifyScope & { reading?: Reading },
    context: InvocationContext,
  ): Promise<SpanVerified> => {
    const ledger = new Ledger(services.storage, ref.run);
    if (await isCanceled(ledger)) return "none";
    const verified = await verifySpan(ref, services.storage, services.settings, services.budget);
    const { run, part, large } = ref;
    if (typeof verified === "object" && "settled" in verified)
      await logTally(context, "large.verified", { run, part, large }, verified.settled, largeOutcome(ref));
    if (typeof verified === "object" && "reading" in verified)
      await showLife(ledger, ref.reading?.position ?? 0, verified.reading.position);
    return verified;
  },
});
