import type { InvocationContext } from "@azure/functions";
import * as df from "durable-functions";
import { Ledger } from "../ledger/ledger.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { logTally } from "../telemetry/log-tally.ts";
import {
  restoreDirectories,
  type DirectoriesRef,
  type DirectoriesSlice,
} from "../restore/restore-directories.ts";
import { services } from "../services.ts";

/** Gives directories their mode and time back, for a bounded time. */
df.app.activity("restoreDirectories", {
  handler: async (ref: DirectoriesRef, context: InvocationContext): Promise<DirectoriesSlice> => {
    const { storage, settings } = services;
    const onlyMade = ref.onlyMade === true || (await isCanceled(new Ledger(storage, ref.run)));
    const restored = await restoreDirectories({ ...ref, onlyMade }, storage, settings);
    const { run, slice } = ref;
    await logTally(context, "directories.restored", { run, slice }, restored.tally);
    return restored;
  },
});
