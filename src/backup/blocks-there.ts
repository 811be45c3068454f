import type { BlockBlobClient } from "@azure/storage-blob";
import { classify } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";
import { newMark } from "./block-id.ts";

/** The blocks of a blob that wait for a commit, by id, with their lengths. */
export async function uncommittedBlocks(blob: BlockBlobClient): Promise<Map<string, number>> {
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
 * A mark for block ids as long as those of blocks that another program left there: for a week the service takes no
 * others. A commit of the new blocks throws the old ones away.
 */
export async function markBeside(blob: BlockBlobClient): Promise<string> {
  const [id] = (await uncommittedBlocks(blob)).keys();
  return newMark(id === undefined ? undefined : Buffer.from(id, "base64").length);
}
