import * as df from "durable-functions";
import {
  restoreDirectories,
  type DirectoriesRef,
  type DirectoriesSlice,
} from "../restore/restore-directories.ts";
import { services } from "../services.ts";

/** Gives directories their mode and time back, for a bounded time. */
df.app.activity("restoreDirectories", {
  handler: async (ref: DirectoriesRef): Promise<DirectoriesSlice> =>
    await restoreDirectories(ref, services.storage, services.settings),
});
