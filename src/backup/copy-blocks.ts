import { createHash } from "node:crypto";
import type { BlobRequestConditions } from "@azure/storage-blob";
import { md5 } from "../storage/md5.ts";
import { withRetries } from "../storage/retries.ts";
import { blockId, newMark } from "./block-id.ts";
import { blobHeaders, blobMetadata } from "./blob-headers.ts";
import { BLOCK } from "./budget.ts";
import { blobOf, type CopyContext } from "./copy-context.ts";
import { contentOutcome } from "./copy-outcome.ts";
import { md5ToMatch, mtimeOf, modeOf, type Entry } from "./entry.ts";
import { HOLDING_A_FILE_MS } from "../file-system/handles.ts";
import { hashOn } from "./hash-on.ts";
import type { Outcome } from "./outcome.ts";
import { putBlob } from "./put-blob.ts";
import type { OpenFile } from "./read-file.ts";

/** Blocks of one file that are read and sent at a time. */
const BLOCKS_AT_A_TIME = 4;

/**
 * Sends a file in blocks, a few at a time, and commits them when the whole file was read unchanged. Block ids carry a
 * random mark of this attempt, so that two attempts never mix their blocks in one blob.
 */
export async function copyByBlocks(entry: Entry, file: OpenFile, context: CopyContext): Promise<Outcome> {
  const { size } = file.stats;
  const wanted = md5ToMatch(entry, size);
  if (context.compareContent && wanted !== undefined) {
    const hash = createHash("md5");
    await hashOn(file, hash, { from: 0, to: size, until: Infinity }, context.budget);
    const md5 = hash.digest("base64");
    if (md5 === wanted) {
      return contentOutcome(entry, { md5, size }, mtimeOf(file.stats), modeOf(file.stats), "unchanged");
    }
  }
  const blob = blobOf(entry, context);
  const mark = newMark();
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
      const block = context.budget
        .content(length, async (content) => {
          await file.read(content, position);
          whole.update(content);
          const hash = md5(content);
          readNext();
          await context.budget.request(() =>
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
  await file.assertUnchanged();
  await file.close();

  const hash = whole.digest();
  const [mtime, mode] = [mtimeOf(file.stats), modeOf(file.stats)];
  const put = await putBlob(
    () => blob,
    { md5: hash.toString("base64"), size, runId: context.runId, existing: entry.existing },
    (conditions: BlobRequestConditions) =>
      withRetries((abortSignal) =>
        blob.commitBlockList(ids, {
          abortSignal,
          conditions,
          metadata: blobMetadata(context.runId, { kind: entry.kind, mtime, mode }),
          blobHTTPHeaders: blobHeaders(entry.path, hash),
        }),
      ),
    context.oldContent,
  );
  return contentOutcome(entry, put, mtime, mode, "copied");
}
