import type { BlockBlobClient } from "@azure/storage-blob";
import { md5 } from "../model/md5.ts";
import type { WholeBlob } from "../storage/put-blob-request.ts";
import { retrying, withRetries } from "../storage/retries.ts";
import { blockId, markOf, uncommittedBlocks } from "../store/files/block-ids.ts";
import { blobMetadata, contentType } from "../store/files/blob-headers.ts";
import { blobName } from "../model/blob-name.ts";
import { copyByBlocks } from "./copy-blocks.ts";
import { BLOCK } from "../storage/budget.ts";
import { blobOf, type CopyContext } from "./copy-context.ts";
import { contentOutcome, errorOutcome, READS } from "./copy-outcome.ts";
import { attributesOf, type Attributes, type Entry } from "../model/entry.ts";
import { fileThread, QUICK_SIZE } from "../files/file-thread.ts";
import { awaitingHandles } from "../files/handles.ts";
import { openToCopy } from "./open-to-copy.ts";
import type { Outcome } from "../model/outcome.ts";
import { BlocksGone } from "../store/files/not-written.ts";
import { putBlob } from "../store/files/put-blob.ts";
import { ChangedWhileReading, OpenFile } from "../files/read-file.ts";
import { hasContent } from "./same-content.ts";
import { lookAtDirectory, readLink } from "../files/read-link.ts";
import { withTimeout } from "../files/timeout.ts";

/**
 * Copies one file, link or empty directory and says what became of it. What is wrong with the file is an outcome.
 * @throws errors of the storage account that concern more than this file
 */
export async function copyFile(entry: Entry, context: CopyContext): Promise<Outcome> {
  try {
    // Anew from the start where a socket got no handle: the file has given back its own.
    return await awaitingHandles(() => copyEntry(entry, context));
  } catch (error) {
    return errorOutcome(entry, error);
  }
}

async function copyEntry(entry: Entry, context: CopyContext): Promise<Outcome> {
  if (entry.kind === "link") return await copyLink(entry, context);
  if (entry.kind === "directory") return await copyDirectory(entry, context);
  return await copyContent(entry, context);
}

async function copyContent(entry: Entry, context: CopyContext): Promise<Outcome> {
  const quick = entry.size <= QUICK_SIZE ? await copyQuickly(entry, context) : undefined;
  if (quick) return quick;
  for (let read = 1; ; read++) {
    const file = await openToCopy(entry, context);
    try {
      if (await OpenFile.settle(file.stats)) await file.assertUnchanged();
      return file.size <= BLOCK
        ? await copySmall(entry, file, context)
        : await copyByBlocks(entry, file, context);
    } catch (error) {
      const again = error instanceof ChangedWhileReading || error instanceof BlocksGone;
      if (!again || read === READS) throw error;
    } finally {
      await file.close();
    }
  }
}

/** A small file that is as it was listed, and stays so. All else is found out, and told of, the usual way. */
async function copyQuickly(entry: Entry, context: CopyContext): Promise<Outcome | undefined> {
  return await context.budget.bytes(entry.size, async () => {
    const file = await fileThread.read(context.realRoot, entry.path, entry.size);
    if (!file) return undefined;
    const content = Buffer.from(file.content.buffer);
    return await putWhole(entry, context, content, attributesOf(file), file.md5);
  });
}

async function copySmall(entry: Entry, file: OpenFile, context: CopyContext): Promise<Outcome> {
  const { size } = file;
  return await context.budget.content(size, async (content) => {
    await file.read(content, 0);
    await file.assertUnchanged();
    // Before it is sent, for which a handle is needed, too.
    await file.close();
    return await putWhole(entry, context, content, attributesOf(file.stats));
  });
}

/** A link is a blob that holds its target, as azcopy keeps it. */
async function copyLink(entry: Entry, context: CopyContext): Promise<Outcome> {
  const { realRoot, fileTimeoutMs } = context;
  const { target, stats } = await withTimeout(readLink(realRoot, entry.path), fileTimeoutMs, "reading it");
  return { ...(await putWhole(entry, context, target, attributesOf(stats))), size: 0 };
}

async function copyDirectory(entry: Entry, context: CopyContext): Promise<Outcome> {
  const { realRoot, fileTimeoutMs } = context;
  const stats = await withTimeout(lookAtDirectory(realRoot, entry.path), fileTimeoutMs, "looking it up");
  return await putWhole(entry, context, Buffer.alloc(0), attributesOf(stats));
}

async function putWhole(
  entry: Entry,
  context: CopyContext,
  content: Buffer,
  attributes: Attributes,
  base64 = md5(content).toString("base64"),
): Promise<Outcome> {
  const { budget, requests } = context;
  const stored = { md5: base64, size: content.length };
  const blob = () => blobOf(entry, context);
  const metadata = blobMetadata(entry, attributes, context);
  if (await hasContent(entry, stored, blob, metadata)) {
    return contentOutcome(entry, { ...stored, wasThere: true }, attributes);
  }
  const whole = {
    name: blobName(entry.path, context.prefix),
    content,
    md5: base64,
    contentType: contentType(entry.path),
    metadata,
  };
  const put = await putBlob(
    blob,
    { ...stored, entry, runId: context.runId },
    (conditions, blocksThere) =>
      budget.request(() =>
        blocksThere
          ? withRetries((signal) => putAsBlock(blob(), { ...whole, conditions }, signal), content.length)
          : retrying((timeout) => requests.put({ ...whole, conditions }, timeout), content.length),
      ),
    context.oldContent,
  );
  return contentOutcome(entry, put, attributes);
}

/** The same as Put Blob, where blocks of an upload that was given up (the file was larger then) are in the way of that. */
async function putAsBlock(
  blob: BlockBlobClient,
  { content, md5, contentType, metadata, conditions }: WholeBlob,
  abortSignal: AbortSignal,
): Promise<unknown> {
  const hash = Buffer.from(md5, "base64");
  const ids: string[] = [];
  if (content.length > 0) {
    const id = blockId(markOf(undefined, await uncommittedBlocks(blob)), 0);
    await blob.stageBlock(id, content, content.length, { abortSignal, transactionalContentMD5: hash });
    ids.push(id);
  }
  const blobHTTPHeaders = { blobContentMD5: hash, blobContentType: contentType };
  return await blob.commitBlockList(ids, { abortSignal, conditions, metadata, blobHTTPHeaders });
}
