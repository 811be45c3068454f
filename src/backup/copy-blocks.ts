import { createHash } from "node:crypto";
import type { BlobRequestConditions, BlockBlobClient } from "@azure/storage-blob";
import { md5 } from "../model/md5.ts";
import { withRetries } from "../storage/retries.ts";
import { blockId, newMark } from "./block-id.ts";
import { markBeside } from "./blocks-there.ts";
import { blobHeaders, blobMetadata } from "../store/files/blob-headers.ts";
import { BLOCK, type Budget } from "../storage/budget.ts";
import { blobOf, type CopyContext } from "./copy-context.ts";
import { contentOutcome } from "./copy-outcome.ts";
import { attributesOf, md5ToMatch, type Entry } from "../model/entry.ts";
import { HOLDING_A_FILE_MS } from "../files/handles.ts";
import { hashNext } from "./hash-next.ts";
import type { Outcome } from "../model/outcome.ts";
import { isAboutBlocks } from "../store/files/not-written.ts";
import { putBlob } from "../store/files/put-blob.ts";
import type { OpenFile } from "../files/read-file.ts";
import { hasContent } from "./same-content.ts";

/** Blocks of one file that are read and sent at a time. */
const BLOCKS_AT_A_TIME = 4;

/** Copies a file that is too large for one request, unless its blob has the same content already. */
export async function copyByBlocks(entry: Entry, file: OpenFile, context: CopyContext): Promise<Outcome> {
  const { size } = file;
  const attributes = attributesOf(file.stats);
  const blob = blobOf(entry, context);
  const metadata = blobMetadata(entry, attributes, context);
  if (md5ToMatch(entry, size) !== undefined) {
    const hash = createHash("md5");
    await hashNext(file, hash, { from: 0, to: size, until: Infinity }, context.budget);
    const stored = { md5: hash.digest("base64"), size };
    if (await hasContent(entry, stored, () => blob, metadata)) {
      return contentOutcome(entry, { ...stored, wasThere: true }, attributes);
    }
  }
  const { ids, hash } = await sendBlocks(file, blob, newMark(), context.budget).catch(
    async (error: unknown) => {
      if (!isAboutBlocks(error)) throw error;
      return await sendBlocks(file, blob, await markBeside(blob), context.budget);
    },
  );
  await file.assertUnchanged();
  await file.close();
  const put = await putBlob(
    () => blob,
    { md5: hash.toString("base64"), size, entry, runId: context.runId },
    (conditions: BlobRequestConditions) =>
      withRetries((abortSignal) =>
        blob.commitBlockList(ids, {
          abortSignal,
          conditions,
          metadata,
          blobHTTPHeaders: blobHeaders(entry.path, hash),
        }),
      ),
    context.oldContent,
  );
  return contentOutcome(entry, put, attributes);
}

/**
 * Sends a file in blocks, a few at a time.
 * @param mark of this attempt, so that two attempts never mix their blocks in one blob
 * @returns the blocks' ids, to be committed, and the MD5 of all that was read
 */
async function sendBlocks(file: OpenFile, blob: BlockBlobClient, mark: string, budget: Budget) {
  const { size } = file;
  const whole = createHash("md5");
  const ids: string[] = [];
  const sending = new Set<Promise<void>>();
  let failure: unknown;

  for (let position = 0; position < size && failure === undefined; position += BLOCK) {
    const length = Math.min(BLOCK, size - position);
    const id = blockId(mark, ids.length);
    ids.push(id);
    // Reading goes on in order, for the hash of the whole; sending overlaps with it.
    await new Promise<void>((readNext) => {
      const block = budget
        .content(length, async (content) => {
          await file.read(content, position);
          whole.update(content);
          const hash = md5(content);
          readNext();
          await budget.request(() =>
            withRetries(
              (abortSignal) =>
                blob.stageBlock(id, content, length, { abortSignal, transactionalContentMD5: hash }),
              length,
              HOLDING_A_FILE_MS,
            ),
          );
        })
        .catch((error: unknown) => {
          failure ??= error;
        })
        .finally(() => {
          sending.delete(block);
          readNext();
        });
      sending.add(block);
    });
    while (sending.size >= BLOCKS_AT_A_TIME) await Promise.race(sending);
  }
  await Promise.all(sending);
  if (failure !== undefined) throw failure;
  return { ids, hash: whole.digest() };
}
