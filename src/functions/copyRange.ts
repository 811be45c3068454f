import * as df from "durable-functions";
import { copyRange } from "../backup/large-file/copy-range.ts";
import type { Piece } from "../backup/large-file/planned-file.ts";
import type { AttemptRef } from "../backup/large-file/plan.ts";
import { Ledger } from "../ledger/ledger.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { services } from "../services.ts";
import { tellThrottled } from "../storage/throttling.ts";

export interface RangeResult {
  piece: Piece;
  throttled?: number;
}

/** Sends the blocks of one range of a large file. */
df.app.activity("copyRange", {
  handler: async (ref: AttemptRef & { range: number }): Promise<RangeResult> => {
    const { storage, settings, budget } = services;
    // Nobody waits for the answer then.
    if (await isCanceled(new Ledger(storage, ref.run))) return { piece: "changed" };
    return await tellThrottled(async () => ({ piece: await copyRange(ref, storage, settings, budget) }));
  },
});
