import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { emptyTally } from "../backup/outcome.ts";
import { Ledger } from "../ledger/ledger.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { logTally } from "../logging/log-tally.ts";
import {
  restoreDirectories,
  type DirectoriesRef,
  type DirectoriesSlice,
} from "../restore/restore-directories.ts";
import { services } from "../services.ts";

/** Gives directories their mode and time back, for a bounded time. */
df.app.activity("restoreDirectories", {
  handler: async (ref: DirectoriesRef, context: InvocationContext): Promise<DirectoriesSlice> => {
    // What a restore made that was canceled is not left as it is, half made.
    if (!ref.onlyMade && (await isCanceled(new Ledger(services.storage, ref.run))))
      return { tally: emptyTally() };
    const restored = await restoreDirectories(ref, services.storage, services.settings);
    const { run, slice } = ref;
    await logTally(context, "directories.restored", { run, slice }, restored.tally);
    return restored;
  },
});
