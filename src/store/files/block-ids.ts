import { createHash, randomBytes } from "node:crypto";
import type { BlockBlobClient } from "@azure/storage-blob";
import { classify } from "../../storage/errors.ts";
import { withRetries } from "../../storage/retries.ts";
import { NotStored } from "../store.ts";

/** Bytes of a block id where nothing else is asked for: as earlier releases had them. */
const LENGTH = 22;
/** Bytes at the end of an id that number the block: a blob has at most 50,000. */
const NUMBER = 3;

const TOO_SHORT =
  "another program left uncommitted blocks in its blob, with ids too short for a file of this size; they go after a week";

/** The blocks of a blob that wait for a commit, by id, with their lengths. */
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
 * A mark for the block ids of one attempt at a file, so that no two attempts mix their blocks. It is as long as the ids of
 * blocks that another program left there: for a week the service takes no others, and a commit of the new ones throws
 * them away. Ids of at most three bytes leave no room for it; then two attempts at a time send blocks under the same ids.
 * @param attempt names it, the same for all who send its blocks; without it the mark is random
 */
export function markOf(attempt?: readonly unknown[], there?: Uncommitted): string {
  const [id] = there?.keys() ?? [];
  const length = id === undefined ? LENGTH : Buffer.from(id, "base64").length;
  if (attempt === undefined) return randomBytes(length).toString("base64");
  const hash = createHash("shake256", { outputLength: length });
  return hash.update(JSON.stringify(attempt)).digest("base64");
}

/**
 * The id of a block. All ids of a blob's uncommitted blocks must be of one length: see `markOf`.
 * @throws NotStored where the ids are too short to number so many blocks
 */
export function blockId(mark: string, index: number): string {
  const id = Buffer.from(mark, "base64");
  const length = Math.min(NUMBER, id.length);
  if (index >= 256 ** length) throw new NotStored(TOO_SHORT);
  id.writeUIntBE(index, id.length - length, length);
  return id.toString("base64");
}
