import type { Ledger } from "../../ledger/ledger.ts";
import type { Settings } from "../../settings.ts";
import type { Entry } from "../../model/entry.ts";
import { openToCopy } from "../open-to-copy.ts";
import { ChangedWhileReading, NotAFile, type OpenFile } from "../../files/read-file.ts";
import { isAllowed } from "../../files/roots.ts";
import { isAsPlanned, openLarge, readPlan, type AttemptRef, type Plan } from "./plan.ts";

/** What came of a piece of an attempt. */
export type Piece = "done" | "changed";

/**
 * Opens the file of an attempt, checks that it is the one the attempt began with, and does a piece of the work.
 * @returns "changed" when it is another file, or was written meanwhile, or is gone: a new attempt finds out what it is
 */
export async function withPlannedFile(
  ledger: Ledger,
  ref: AttemptRef,
  settings: Settings,
  work: (file: OpenFile, plan: Plan, entry: Entry) => Promise<void>,
): Promise<Piece> {
  const entry = await openLarge(ledger, ref);
  const plan = await readPlan(ledger, ref);
  if (!plan) throw new Error(`The ledger of run ${ref.run} has no plan for ${entry.path}.`);
  const { realRoot } = ref;
  if (!(await isAllowed(realRoot, settings.roots, settings.fileTimeoutMs))) return "changed";
  let file: OpenFile;
  try {
    file = await openToCopy(entry, { realRoot, fileTimeoutMs: settings.fileTimeoutMs });
  } catch (error) {
    if (
      error instanceof NotAFile ||
      ["ENOENT", "ENOTDIR", "ELOOP"].includes(String((error as NodeJS.ErrnoException).code))
    ) {
      return "changed";
    }
    throw error;
  }
  try {
    if (!isAsPlanned(file, plan)) return "changed";
    await work(file, plan, entry);
    return "done";
  } catch (error) {
    if (error instanceof ChangedWhileReading) return "changed";
    throw error;
  } finally {
    await file.close();
  }
}
