import { isDeepStrictEqual } from "node:util";
import type { BlobServiceClient } from "@azure/storage-blob";
import { ChangedWhileReading, OpenFile } from "../files/read-file.ts";
import { isAllowed } from "../files/roots.ts";
import { largeOutcome } from "../ledger/names.ts";
import type { LargeRef } from "../ledger/part-record.ts";
import { entry as line } from "../ledger/schemas.ts";
import { settleSpan, type Position, type SpanDone, type Step } from "../ledger/settle-steps.ts";
import type { Entry } from "../model/entry.ts";
import { failed } from "../model/outcome.ts";
import type { Settings } from "../settings.ts";
import type { Budget } from "../storage/budget.ts";
import { openStore } from "../store/open-store.ts";
import { SendAgain, type Upload } from "../store/storing.ts";
import { errorOutcome, openToCopy, READ_TRIES } from "./copy-content.ts";
import type { CopyScope } from "./request.ts";
import { confirmVanished, RootGone } from "./vanished.ts";

export type LargeFileRef = LargeRef & CopyScope;

/** How far a large file is sent. */
export interface Sending extends Position {
  /** The version of the file that is being sent. */
  of?: Version;
}

type Version = Pick<OpenFile["stats"], "size" | "mtimeMs" | "ctimeMs" | "ino">;

/**
 * Reads and sends the next span of a large file, for a bounded time; see Store. A file that changes is restarted, a few times.
 */
export async function copyLargeFile(
  ref: LargeFileRef & { progress?: Sending },
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Step<Sending>> {
  const { realRoot, progress = { attempt: 1, position: 0 } } = ref;
  const { fileTimeoutMs } = settings;
  return await settleSpan<Entry, Sending>(ref, service, line, async (entry, ledger) => {
    if (!(await isAllowed(realRoot, settings.roots, fileTimeoutMs))) {
      const reason = "its root is outside the directories that BACKUP_ROOTS allows";
      return { outcomes: [failed(entry, reason)] };
    }
    try {
      const file = await openToCopy(entry, { realRoot, fileTimeoutMs });
      try {
        return await copyNext(entry, file, { ...ref, progress }, { service, settings, budget });
      } finally {
        await file.close();
      }
    } catch (error) {
      const { attempt } = progress;
      const again = error instanceof ChangedWhileReading || error instanceof SendAgain;
      if (again && attempt < READ_TRIES) return { attempt: attempt + 1, position: 0 };
      const where = { ledger, part: ref.part, record: largeOutcome(ref), realRoot, fileTimeoutMs };
      try {
        return { outcomes: await confirmVanished([errorOutcome(entry, error)], where) };
      } catch (gone) {
        if (gone instanceof RootGone) return gone.message;
        throw gone;
      }
    }
  });
}

async function copyNext(
  entry: Entry,
  file: OpenFile,
  { progress, ...ref }: LargeFileRef & { progress: Sending },
  { service, settings, budget }: { service: BlobServiceClient; settings: Settings; budget: Budget },
): Promise<SpanDone<Sending>> {
  const { attempt, of: before, ...sent } = progress;
  const { size, mtimeMs, ctimeMs, ino } = file.stats;
  const of: Version = { size, mtimeMs, ctimeMs, ino };
  if (before && !isDeepStrictEqual(of, before)) throw new ChangedWhileReading();
  if (!before && (await OpenFile.settle(file.stats))) await file.assertUnchanged();
  const upload: Upload = {
    attempt: [ref.run, ref.part, ref.large, attempt, of],
    until: performance.now() + settings.listMs,
    ...(before ? { sent } : {}),
  };
  const next = await openStore(ref, service, settings).send(ref, entry, file, upload, budget);
  return "outcome" in next ? { outcomes: [next.outcome] } : { attempt, of, ...next.sent };
}
