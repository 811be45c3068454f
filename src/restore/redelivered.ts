import { readdir, unlink } from "node:fs/promises";
import { byDirectory, tryInDirectory } from "../files/in-directory.ts";
import { ignore } from "../files/pinned-directory.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";
import type { Outcome } from "../model/outcome.ts";
import type { Begun } from "./in-place.ts";
import type { RestoreContext } from "./restore-context.ts";
import { isTemporaryOf } from "./temporary-name.ts";

/** An item that is right now and was not at the beginning was restored by another delivery of the batch. */
export function claimWritten(outcomes: Outcome[], { unchanged }: Begun): void {
  for (const outcome of outcomes) {
    if (outcome.outcome === "unchanged" && !unchanged.has(outcome.path)) outcome.outcome = "copied";
  }
}

/** Removes the temporary files that another delivery of this batch left. */
export async function sweep(items: readonly PlannedItem[], context: RestoreContext): Promise<void> {
  const { mark } = context;
  for (const portable of byDirectory(items).keys()) {
    await tryInDirectory(context, portable, async (directory) => {
      for (const name of await readdir(directory.path("."))) {
        if (isTemporaryOf(mark, name)) await unlink(directory.path(name)).catch(ignore("ENOENT"));
      }
    });
  }
}
