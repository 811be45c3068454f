import { createHash, randomBytes } from "node:crypto";
import type { BlockBlobClient } from "@azure/storage-blob";
import type { BlobWritten, WholeBlob } from "../../storage/by-sdk.ts";
import { classify } from "../../storage/errors.ts";
import { withRetries } from "../../storage/retries.ts";
import { NotStored } from "../storing.ts";

/** The usual bytes of a block id, as in earlier releases. */
const ID_BYTES = 22;
/** Bytes at the end of an id that number the block, of which a blob has at most 50,000. */
const NUMBER_BYTES = 3;

const TOO_SHORT =
  "another program left uncommitted blocks in its blob, with ids too short for a file of this size; they go after a week";

/** A blob's uncommitted blocks: lengths by id. */
export type Uncommitted = ReadonlyMap<string, number>;

export async function uncommittedBlocks(blob: BlockBlobClient): Promise<Uncommitted> {
  try {
    const { uncommittedBlocks: blocks = [] } = await withRetries((abortSignal) =>
      blob.getBlockList("uncommitted", { abortSignal }),
    );
    return new Map(blocks.map(({ name, size }) => [name, size]));
  } catch (error) {
    if (classify(error) === "missing") return new Map();
    throw error;
  }
}

/**
 * A mark for the block ids of one attempt at a file, so that no two attempts mix their blocks. Its length fits the ids of
 * uncommitted blocks that another program left: for a week the service accepts no other length, and a commit discards them.
 * Ids of at most three bytes leave no room for a mark; then two concurrent attempts use the same ids.
 * @param attempt identifies the attempt, in each of its deliveries; without it the mark is random
 */
export function markOf(attempt?: readonly unknown[], there?: Uncommitted): string {
  const [id] = there?.keys() ?? [];
  const length = id === undefined ? ID_BYTES : Buffer.from(id, "base64").length;
  if (attempt === undefined) return randomBytes(length).toString("base64");
  const hash = createHash("shake256", { outputLength: length });
  return hash.update(JSON.stringify(attempt)).digest("base64");
}

/**
 * The id of a block. All ids of a blob's uncommitted blocks must have the same length: see `markOf`.
 * @throws NotStored if the ids are too short to number the block
 */
export function blockId(mark: string, index: number): string {
  const id = Buffer.from(mark, "base64");
  const length = Math.min(NUMBER_BYTES, id.length);
  if (index >= 256 ** length) throw new NotStored(TOO_SHORT);
  id.writeUIntBE(index, id.length - length, length);
  return id.toString("base64");
}

/** Does the same as Put Blob by a block and a commit, because uncommitted blocks of an abandoned upload block Put Blob. */
export async function putAsBlock(
  blob: BlockBlobClient,
  { content, md5, contentType, metadata, conditions }: WholeBlob & { content: Buffer },
  abortSignal: AbortSignal,
): Promise<BlobWritten> {
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
