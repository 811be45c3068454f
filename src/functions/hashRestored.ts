import * as df from "durable-functions";
import { Ledger } from "../ledger/ledger.ts";
import { showLife } from "../ledger/sign-of-life.ts";
import type { RestoreAttemptRef } from "../restore/large-file/attempt.ts";
import { hashRestored } from "../restore/large-file/restore-range.ts";
import { services } from "../services.ts";

/** Goes on with the hash of what was written. */
df.app.activity("hashRestored", {
  handler: async (ref: RestoreAttemptRef & { from: number; to: number; state?: string }) => {
    const { storage, settings, budget } = services;
    const hashed = await hashRestored(ref, storage, settings, budget);
    if (hashed !== "gone") await showLife(new Ledger(storage, ref.run), ref.from, hashed.reached ?? ref.to);
    return hashed;
  },
});
