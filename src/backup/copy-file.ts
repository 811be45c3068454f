import type { BlockBlobClient, BlockBlobCommitBlockListOptions } from "@azure/storage-blob";
import { md5 } from "../storage/md5.ts";
import { withRetries } from "../storage/retries.ts";
import { blockId, newMark } from "./block-id.ts";
import { blobHeaders, blobMetadata } from "./blob-headers.ts";
import { copyByBlocks } from "./copy-blocks.ts";
import { BLOCK, blobOf, keepOld, type CopyContext } from "./copy-context.ts";
import { contentOutcome, errorOutcome, READS } from "./copy-outcome.ts";
import { mtimeOf, modeOf, type Entry } from "./entry.ts";
import { openPatiently } from "./open-to-copy.ts";
import type { Outcome } from "./outcome.ts";
import { putBlob } from "./put-blob.ts";
import { ChangedWhileReading, OpenFile } from "./read-file.ts";
import { lookAtDirectory, readLink } from "./read-link.ts";
import { withTimeout } from "./timeout.ts";

/**
 * Copies one file, link or empty directory and says what became of it. What is wrong with the file is an outcome.
 * @throws errors of the storage account that concern more than this file
 */
export async function copyFile(entry: Entry, context: CopyContext): Promise<Outcome> {
  try {
    if (entry.kind === "link") return await copyLink(entry, context);
    if (entry.kind === "directory") return await copyDirectory(entry, context);
    return await copyContent(entry, context);
  } catch (error) {
    return errorOutcome(entry, error);
  }
}

async function copyContent(entry: Entry, context: CopyContext): Promise<Outcome> {
  for (let read = 1; ; read++) {
    const file = await openPatiently(entry, context);
    try {
      if (await OpenFile.settle(file.stats)) await file.assertUnchanged();
      return file.stats.size <= BLOCK
        ? await copySmall(entry, file, context)
        : await copyByBlocks(entry, file, context);
    } catch (error) {
      if (!(error instanceof ChangedWhileReading) || read === READS) throw error;
    } finally {
      await file.close();
    }
  }
}

async function copySmall(entry: Entry, file: OpenFile, context: CopyContext): Promise<Outcome> {
  const { size } = file.stats;
  return await context.budget.bytes(size, async () => {
    const content = Buffer.allocUnsafe(size);
    await withTimeout(file.read(content, 0), context.fileTimeoutMs, "reading it");
    await file.assertUnchanged();
    return await putWhole(entry, context, content, mtimeOf(file.stats), modeOf(file.stats));
  });
}

/** A link is a blob that holds its target, as azcopy keeps it. */
async function copyLink(entry: Entry, context: CopyContext): Promise<Outcome> {
  const { realRoot, fileTimeoutMs } = context;
  const { target, stats } = await withTimeout(readLink(realRoot, entry.path), fileTimeoutMs, "reading it");
  return { ...(await putWhole(entry, context, target, mtimeOf(stats), modeOf(stats))), size: 0 };
}

async function copyDirectory(entry: Entry, context: CopyContext): Promise<Outcome> {
  const { realRoot, fileTimeoutMs } = context;
  const stats = await withTimeout(lookAtDirectory(realRoot, entry.path), fileTimeoutMs, "looking it up");
  return await putWhole(entry, context, Buffer.alloc(0), mtimeOf(stats), modeOf(stats));
}

async function putWhole(
  entry: Entry,
  context: CopyContext,
  content: Buffer,
  mtime: number,
  mode: number,
): Promise<Outcome> {
  const hash = md5(content);
  if (context.compareContent && entry.existing?.md5 === hash.toString("base64")) {
    return contentOutcome(entry, { md5: entry.existing.md5, size: content.length }, mtime, mode, "unchanged");
  }
  const blob = blobOf(entry, context);
  const metadata = blobMetadata(context.runId, { kind: entry.kind, mtime, mode });
  const blobHTTPHeaders = blobHeaders(entry.path, hash);
  const put = await putBlob(
    blob,
    { md5: hash, size: content.length, runId: context.runId, existing: entry.existing },
    (conditions, blocksThere) =>
      context.budget.request(() =>
        withRetries(async (abortSignal) => {
          const options = { abortSignal, conditions, metadata, blobHTTPHeaders };
          if (!blocksThere) {
            return await blob.upload(content, content.length, { ...options, transactionalContentMD5: hash });
          }
          return await putAsBlock(blob, content, hash, options);
        }, content.length),
      ),
    keepOld(blob, context.keep),
  );
  return contentOutcome(entry, put, mtime, mode, "copied");
}

/** The same as Put Blob, where blocks of an upload that was given up (the file was larger then) are in the way of that. */
async function putAsBlock(
  blob: BlockBlobClient,
  content: Buffer,
  hash: Buffer,
  options: BlockBlobCommitBlockListOptions,
): Promise<unknown> {
  const { abortSignal } = options;
  const ids: string[] = [];
  if (content.length > 0) {
    const id = blockId(newMark(), 0);
    await blob.stageBlock(id, content, content.length, { abortSignal, transactionalContentMD5: hash });
    ids.push(id);
  }
  return await blob.commitBlockList(ids, options);
}
