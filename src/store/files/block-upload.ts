import type { BlockBlobClient } from "@azure/storage-blob";
import { HOLDING_A_FILE_MS } from "../../files/errors.ts";
import type { OpenFile } from "../../files/read-file.ts";
import { attributesOf, type Entry } from "../../model/entry.ts";
import { BLOCK, type Budget } from "../../storage/budget.ts";
import type { PutBlobRequests } from "../../storage/put-blob-request.ts";
import { putBlock } from "../../storage/put-block-request.ts";
import { retrying, withRetries } from "../../storage/retries.ts";
import { NotStored } from "../storing.ts";
import { blobHeaders, blobMetadata } from "./blob-headers.ts";
import { blockId, type Uncommitted } from "./blocks.ts";
import type { PutResult } from "./look-up.ts";
import type { OldContent } from "./old-content.ts";
import { putBlob } from "./put-blob.ts";
import { readBlocks, type Span } from "./read-blocks.ts";

const MIB = 1024 * 1024;
/** Blob Storage's limit on the blocks of a blob. */
const MAX_BLOCKS = 50_000;
/** Blob Storage's limit on a block. */
const MAX_BLOCK = 4_000 * MIB;

/** A blob that is sent in blocks and made by one commit. */
interface BlockUpload {
  blob: BlockBlobClient;
  /** The mark of the block ids; see markOf. */
  mark: string;
  /** Blocks that need not be sent again. */
  there?: Uncommitted;
}

/**
 * Reads and hashes the next span of a file, and sends the blocks that are not there yet. A block's id depends on the mark and
 * its position only, so after a kill only those blocks are sent again that were in flight.
 * @returns the position reached; see readBlocks
 */
export async function sendBlocks(
  file: OpenFile,
  { blob, mark, there }: BlockUpload,
  span: Span,
  hash: { update(content: Buffer): unknown },
  { requests, budget }: { requests: PutBlobRequests; budget: Budget },
): Promise<number> {
  const block = blockFor(file.size);
  return await readBlocks(file, { ...span, block }, hash, budget, async (content, position) => {
    const { length } = content;
    const id = blockId(mark, position / block);
    if (there?.get(id) === length) return;
    const send = (timeout: number) => putBlock(requests.direct, { name: blob.name, id, content }, timeout);
    await budget.request(() => retrying(send, length, HOLDING_A_FILE_MS));
  });
}

/**
 * Commits the blocks that were sent; see putBlob.
 * @param base64 the MD5 of the whole content
 * @throws NotStored, SendAgain
 */
export async function commitBlocks(
  entry: Entry,
  { stats, size }: OpenFile,
  { blob, mark }: BlockUpload,
  base64: string,
  { runId, root, oldContent }: { runId: string; root: string; oldContent: OldContent },
): Promise<PutResult> {
  const ids = Array.from({ length: Math.ceil(size / blockFor(size)) }, (_none, index) =>
    blockId(mark, index),
  );
  const metadata = blobMetadata(entry, attributesOf(stats), { runId, root });
  const blobHTTPHeaders = blobHeaders(entry.path, Buffer.from(base64, "base64"));
  return await putBlob(
    () => blob,
    { md5: base64, size, entry, runId },
    (conditions) =>
      withRetries((abortSignal) =>
        blob.commitBlockList(ids, { abortSignal, conditions, metadata, blobHTTPHeaders }),
      ),
    oldContent,
  );
}

/** The smallest block size, in whole MiB and at least BLOCK, with which MAX_BLOCKS hold the file. @throws NotStored */
function blockFor(size: number): number {
  const block = Math.max(BLOCK, Math.ceil(size / MAX_BLOCKS / MIB) * MIB);
  if (block <= MAX_BLOCK) return block;
  throw new NotStored(
    `its ${size} bytes are more than a block blob can hold: ${MAX_BLOCKS} blocks of 4,000 MiB, about 190.7 TiB`,
  );
}
