import { isDeepStrictEqual } from "node:util";
import type { BlobServiceClient } from "@azure/storage-blob";
import { ChangedWhileReading, OpenFile } from "../files/read-file.ts";
import { isAllowed } from "../files/roots.ts";
import { entry as line } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { largeOutcome } from "../ledger/names.ts";
import type { LargeRef } from "../ledger/parts.ts";
import { settleSpan, type Position, type SpanDone, type Step } from "../ledger/settle-span.ts";
import { blobName } from "../model/blob-name.ts";
import { attributesOf, md5ToMatch, type Entry } from "../model/entry.ts";
import { whatHolds } from "../model/held.ts";
import { failed } from "../model/outcome.ts";
import type { Settings } from "../settings.ts";
import type { Budget } from "../storage/budget.ts";
import { digestOf, resumeMd5, stateOf } from "../storage/resumable-md5.ts";
import { blobMetadata } from "../store/files/blob-headers.ts";
import { markOf, uncommittedBlocks } from "../store/files/block-ids.ts";
import { commitBlocks, sendBlocks } from "../store/files/block-upload.ts";
import { lookUp } from "../store/files/look-up.ts";
import { BlocksGone, NotWritten } from "../store/files/not-written.ts";
import { OldContent } from "../store/files/old-content.ts";
import { findWritten } from "../store/files/put-blob.ts";
import { readBlocks } from "../store/files/read-blocks.ts";
import { contentOutcome, errorOutcome, READS } from "./copy-outcome.ts";
import type { CopyScope } from "./copy-scope.ts";
import { openToCopy } from "./open-to-copy.ts";
import { hasContent } from "./same-content.ts";
import { confirmVanished, RootGone } from "./vanished.ts";

/** One large file of a listing. */
export type LargeFileRef = LargeRef & CopyScope;

/** How far it is sent. */
export interface Sending extends Position {
  /** Which version of the file is read: of any other nothing is sent. */
  of?: Version;
  /** The blob there may have the same content: that is found out before anything is sent. */
  comparing?: true;
}

type Version = Pick<OpenFile["stats"], "size" | "mtimeMs" | "ctimeMs" | "ino">;

/**
 * Reads on in a large file and sends what it reads, for a bounded time; at the end commits it. Where its content may be the
 * blob's already, it is read for that first, and sent only if it differs. A file that changes is begun anew, a few times.
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
      const reason = "its root is not one that BACKUP_ROOTS allows";
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
      const again = error instanceof ChangedWhileReading || error instanceof BlocksGone;
      if (again && attempt < READS) return { attempt: attempt + 1, position: 0 };
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
  const { attempt, position: from } = progress;
  const { size } = file;
  const { mtimeMs, ctimeMs, ino } = file.stats;
  const of: Version = { size, mtimeMs, ctimeMs, ino };
  if (progress.of && !isDeepStrictEqual(of, progress.of)) throw new ChangedWhileReading();
  const blob = service.getContainerClient(ref.container).getBlockBlobClient(blobName(entry.path, ref.prefix));
  const comparing = progress.of ? progress.comparing : size > 0 && md5ToMatch(entry, size) !== undefined;
  if (!progress.of) {
    if (await OpenFile.settle(file.stats)) await file.assertUnchanged();
    const held = entry.existing?.held && !comparing ? (await lookUp(blob))?.held : undefined;
    if (held !== undefined) throw new NotWritten(`its blob ${whatHolds(held)}`);
  }

  const runId = ref.run;
  const attributes = attributesOf(file.stats);
  const hash = await resumeMd5(progress.state);
  const span = { from, until: performance.now() + settings.listMs };
  if (comparing) {
    const position = await readBlocks(file, span, hash, budget);
    if (position < size) return { attempt, position, state: stateOf(hash), of, comparing };
    const stored = { md5: digestOf(hash), size };
    const metadata = blobMetadata(entry, attributes, { runId, root: ref.root });
    if (!(await hasContent(entry, stored, () => blob, metadata))) return { attempt, position: 0, of };
    return { outcomes: [contentOutcome(entry, { ...stored, wasThere: true }, attributes)] };
  }
  const there = await uncommittedBlocks(blob);
  // Another delivery may have committed it, and recorded nothing.
  const before = there.size === 0 ? await findWritten(blob, { entry, runId }) : undefined;
  if (before) return { outcomes: [contentOutcome(entry, before, attributes)] };
  // Two deliveries of an attempt send the same blocks, those of another version of the file are others.
  const mark = markOf([runId, ref.part, ref.large, attempt, of], there);
  const position = await sendBlocks(file, { blob, mark, there }, span, hash, budget);
  if (position < size) return { attempt, position, state: stateOf(hash), of };
  const oldContent = new OldContent(new Ledger(service, runId), ref.keep);
  const put = await commitBlocks(entry, file, { blob, mark }, digestOf(hash), {
    runId,
    root: ref.root,
    oldContent,
  });
  return { outcomes: [contentOutcome(entry, put, attributes)] };
}
