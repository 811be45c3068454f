import { constants } from "node:fs";
import { lstat, open, readdir, rename, unlink } from "node:fs/promises";
import type { BlobServiceClient } from "@azure/storage-blob";
import { hasTime } from "../files/file-times.ts";
import { byDirectory, tryInTarget } from "../files/in-directory.ts";
import { ignore, type PinnedDirectory } from "../files/pinned-directory.ts";
import { tidyInTime, withTimeout } from "../files/timeout.ts";
import { writeSparse } from "../files/write-sparse.ts";
import { Ledger } from "../ledger/ledger.ts";
import { openLarge, type LargeRef } from "../ledger/part-record.ts";
import { isCanceled } from "../ledger/run-record.ts";
import {
  failLargeFile,
  settleSpan,
  type Position,
  type SpanDone,
  type Step,
} from "../ledger/settle-steps.ts";
import { plannedItem, type PlannedItem } from "../manifest/plan-record.ts";
import { failed, type Outcome, type Tally } from "../model/outcome.ts";
import type { DiskPath } from "../model/path.ts";
import type { Settings } from "../settings.ts";
import type { Budget } from "../storage/budget.ts";
import { Corrupt, type Reached, type Take } from "../store/fetching.ts";
import { openStore } from "../store/open-store.ts";
import { finish, flush } from "./attributes.ts";
import { fileOperation } from "./decide.ts";
import type { RestoreScope } from "./request.ts";
import { isTemporaryOf, restoreContext, temporaryName, type RestoreContext } from "./restore-context.ts";
import { CannotWrite, explainFull, refusedTarget } from "./restore-error.ts";
import { restoreItem, TRIES } from "./restore-file.ts";

type LargeRestoreRef = LargeRef & RestoreScope;

/** How far a large file is written. */
interface Restoring extends Position, Reached {
  /** The temporary file's name, in the directory of the file. */
  temporary: string;
}

const GONE =
  "its temporary file is missing. If the app runs on several machines, restore into a share that all of them mount";

/**
 * Fetches, hashes and writes the next span of a large file to a temporary file, for a bounded time; the last span checks the
 * hash and renames it. The first call only decides whether to restore, and names the temporary file, so that all deliveries
 * of later calls write the same one.
 */
export async function restoreLargeFile(
  ref: LargeRestoreRef & { progress?: Restoring },
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Step<Restoring>> {
  const ledger = new Ledger(service, ref.run);
  const context = contextOf(ref, settings);
  const store = openStore(ref, service, settings);
  if (!(await isCanceled(ledger))) {
    const step = await settleSpan<PlannedItem, Restoring>(ref, service, plannedItem, async (item) => {
      const refused = await refusedTarget({ to: ref.target, realTo: ref.realTo }, settings);
      if (refused !== undefined) return refused;
      try {
        const until = performance.now() + settings.listMs;
        return await restoreNext(item, ref.progress, context, (from, take) =>
          store.readSpan(item, from, until, budget, take),
        );
      } catch (error) {
        if (!(error instanceof CannotWrite)) throw error;
        await discard(item, context);
        return { outcomes: [failed(item, explainFull(error.code, ref.target))] };
      }
    });
    if (step === "none" || "settled" in step || !(await isCanceled(ledger))) return step;
  }
  await abandon(ref, ledger, context, settings);
  return "none";
}

/** Records a large file as failed, and removes its temporary file. */
export async function failLargeRestore(
  ref: LargeRestoreRef & { reason: string },
  service: BlobServiceClient,
  settings: Settings,
): Promise<Tally> {
  const context = contextOf(ref, settings);
  await abandon(ref, new Ledger(service, ref.run), context, settings);
  return await failLargeFile(ref, service);
}

async function restoreNext(
  item: PlannedItem,
  progress: Restoring | undefined,
  context: RestoreContext,
  read: ReadSpan,
): Promise<SpanDone<Restoring>> {
  let next: Restoring | string | undefined;
  const outcome = await restoreItem(item, context, async (_item, directory, at) => {
    const begun = {
      attempt: (progress?.attempt ?? 0) + 1,
      position: 0,
      temporary: temporaryName(context.mark),
    };
    if (!progress) {
      next = begun;
      return undefined;
    }
    const again = progress.attempt < TRIES ? begun : undefined;
    const done = await writeNext(item, progress, { directory, at }, context, read);
    if ("wrong" in done) next = again ?? done.wrong;
    else if ("position" in done) next = { ...progress, ...done };
    else return done.note;
    return undefined;
  });
  if (typeof next === "object" && outcome.outcome === "copied") return next;
  if (typeof next === "string") return await lose(item, failed(item, next), context);
  // If the file is right after it was begun, another delivery has renamed it: it counts as restored.
  if (progress && outcome.outcome === "unchanged") return { outcomes: [{ ...outcome, outcome: "copied" }] };
  return outcome.outcome === "failed" ? await lose(item, outcome, context) : { outcomes: [outcome] };
}

type ReadSpan = (from: Reached, take: Take) => Promise<Reached | undefined>;

/** How far the file got; or that it is in place, with any note; or what is wrong with what was written. */
type Written = Reached | { note: string | undefined } | { wrong: string };

async function writeNext(
  item: PlannedItem,
  { temporary, attempt: _attempt, ...from }: Restoring,
  { directory, at }: { directory: PinnedDirectory; at: DiskPath },
  context: RestoreContext,
  read: ReadSpan,
): Promise<Written> {
  const { fileTimeoutMs } = context;
  const file = directory.path(temporary);
  let note: string | undefined;
  try {
    if (from.position === 0)
      await fileOperation(context, "removing what is old", sweep(directory, context, temporary));
    const create = from.position === 0 ? constants.O_CREAT : 0;
    const opening = open(file, constants.O_WRONLY | create | (constants.O_NOFOLLOW ?? 0), 0o600);
    const handle = await withTimeout(opening, fileTimeoutMs, "creating it", (late) => late.close());
    try {
      const reached = await read(from, (bytes, position) =>
        fileOperation(context, "writing it", writeSparse(handle, bytes, position)),
      );
      if (reached) {
        await fileOperation(context, "flushing it", flush(handle));
        return reached;
      }
      note = await fileOperation(context, "flushing it", finish(handle, item, context));
    } finally {
      await tidyInTime(handle.close(), fileTimeoutMs);
    }
    await fileOperation(context, "renaming it", rename(file, at));
  } catch (error) {
    if (error instanceof Corrupt) return { wrong: error.message };
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    // Another delivery may have renamed it.
    const now = await lstat(at).catch(() => undefined);
    const isThere = now?.isFile() && now.size === item.size && hasTime(now, item.mtime);
    return isThere ? { note } : { wrong: GONE };
  }
  await fileOperation(context, "flushing its directory", flush(directory));
  return { note };
}

async function lose(item: PlannedItem, outcome: Outcome, context: RestoreContext) {
  await discard(item, context);
  return { outcomes: [outcome] };
}

/** Removes the partly written temporary file. */
async function abandon(
  ref: LargeRestoreRef,
  ledger: Ledger,
  context: RestoreContext,
  settings: Settings,
): Promise<void> {
  const item = await openLarge<PlannedItem>(ledger, ref, plannedItem);
  if (!item || (await refusedTarget({ to: ref.target, realTo: ref.realTo }, settings)) !== undefined) return;
  await discard(item, context);
}

/** Removes a temporary file, if possible. */
async function discard(item: PlannedItem, context: RestoreContext): Promise<void> {
  const [parent] = byDirectory([item]).keys();
  if (parent !== undefined) await tryInTarget(context, parent, (directory) => sweep(directory, context));
}

/** Removes the file's temporary files except one. */
async function sweep(directory: PinnedDirectory, { mark }: RestoreContext, except?: string): Promise<void> {
  for (const name of await readdir(directory.path("."))) {
    if (isTemporaryOf(mark, name) && name !== except)
      await unlink(directory.path(name)).catch(ignore("ENOENT"));
  }
}

function contextOf(ref: LargeRestoreRef, settings: Settings): RestoreContext {
  return restoreContext(ref, `${ref.run}/${ref.part}/large-${ref.large}`, settings);
}
