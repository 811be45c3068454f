import { readdir } from "node:fs/promises";
import path from "node:path";
import type { BlobServiceClient } from "@azure/storage-blob";
import { awaitingHandles, fileError } from "../files/errors.ts";
import type { Ignored } from "../files/one-name.ts";
import { NotADirectory, PinnedDirectory } from "../files/pinned-directory.ts";
import { realDirectory } from "../files/real-path.ts";
import { FileTimeout, tidyInTime, withTimeout } from "../files/timeout.ts";
import type { Part } from "../ledger/part-kind.ts";
import { openBatch, type BatchRef } from "../ledger/part-record.ts";
import { settleBatch } from "../ledger/settle-batch.ts";
import { plannedItem, type PlanInput, type PlannedItem, type PlanOwn } from "../manifest/plan-record.ts";
import { failed, type Outcome, type Tally } from "../model/outcome.ts";
import { parentPath } from "../model/path.ts";
import { unsafePath } from "../model/safe-path.ts";
import type { Settings } from "../settings.ts";
import { type Budget, forEachItem } from "../storage/budget.ts";
import {
  decide,
  done,
  fileOperation,
  isInTheWay,
  isReplaceable,
  lookUp,
  NOT_EMPTY,
  skipped,
  whyLeftOut,
} from "./decide.ts";
import { planFiles, type Ways } from "./plan-files.ts";
import type { RestoreRequest, RestoreScope } from "./request.ts";
import { asTargetProblem, refusedTarget } from "./restore-error.ts";

type PreviewContext = Pick<RestoreScope, "realTo" | "overwrite" | "delete"> & { fileTimeoutMs: number };

/** Records what a restore would do with the files of one batch; see settleBatch. */
export async function previewBatch(
  ref: BatchRef & RestoreScope,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Tally> {
  return await settleBatch(ref, service, async (ledger) => {
    const refused = await refusedTarget({ to: ref.target, realTo: ref.realTo }, settings);
    if (refused !== undefined) return refused;
    const items = await openBatch<PlannedItem>(ledger, ref, plannedItem);
    const context = { ...ref, fileTimeoutMs: settings.fileTimeoutMs };
    return { outcomes: await forEachItem(items, budget, (item) => previewItem(item, context)) };
  });
}

async function previewItem(item: PlannedItem, context: PreviewContext): Promise<Outcome> {
  const unsafe = unsafePath(item.path);
  if (unsafe !== undefined) return failed(item, unsafe);
  try {
    return await awaitingHandles(() => lookAt(item, context));
  } catch (error) {
    if (error instanceof NotADirectory || error instanceof FileTimeout) return failed(item, error.message);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    return failed(item, fileError(code));
  }
}

async function lookAt(item: PlannedItem, context: PreviewContext): Promise<Outcome> {
  const directory = await parentOf(item, context);
  if (typeof directory === "string") return skipped(item, directory);
  if (directory === undefined) return would(item, "be created");
  try {
    const at = directory.path(path.posix.basename(item.path));
    const current = await fileOperation(context, "looking it up", lookUp(at));
    const decision = await decide(item, at, current, context);
    if (typeof decision === "object") return { ...done(item, decision.outcome), reason: decision.reason };
    if (decision === "keep") return would(item, "be left as it is", "unchanged");
    const isFull = async () => (await fileOperation(context, "looking into it", readdir(at))).length > 0;
    // With "delete" it would be removed first.
    if (isInTheWay(item, current) && !context.delete && (await isFull())) return failed(item, NOT_EMPTY);
    return would(item, decision === "create" ? "be created" : "be replaced");
  } finally {
    await tidyInTime(directory.close(), context.fileTimeoutMs);
  }
}

/** The directory that an item belongs in; undefined if it would be created; a string says why the item would be skipped. */
async function parentOf(
  item: PlannedItem,
  { realTo, overwrite, fileTimeoutMs }: PreviewContext,
): Promise<PinnedDirectory | undefined | string> {
  const opening = PinnedDirectory.open(realTo, parentPath(item.path));
  try {
    return await withTimeout(opening, fileTimeoutMs, "opening its directory", (late) => late.close());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    if (isReplaceable(error) && overwrite !== "never") return undefined;
    return whyLeftOut(error, overwrite);
  }
}

function would(item: PlannedItem, be: string, outcome: "copied" | "unchanged" = "copied"): Outcome {
  return { ...done(item, outcome), reason: `dry run: it would ${be}` };
}

/** Plans one part of a dry run; see planFiles. */
export async function previewRestore(
  input: PlanInput<RestoreRequest>,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Part<PlanOwn>> {
  return await planFiles(input, service, settings, { settleTarget, ignoredIn: usually, largeFile: Infinity });
}

/** A target that is missing would be made. */
const settleTarget: Ways["settleTarget"] = async (to, _ledger, { fileTimeoutMs }) => {
  try {
    return { realTo: await withTimeout(realDirectory(to), fileTimeoutMs, "looking it up") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { realTo: path.resolve(to) };
    throw asTargetProblem(error, to);
  }
};

/** What the system's usual file systems do. Testing the target's own would take writing a file. */
async function usually(): Promise<Ignored> {
  const { platform } = process;
  return { case: platform === "win32" || platform === "darwin", form: platform === "darwin" };
}
