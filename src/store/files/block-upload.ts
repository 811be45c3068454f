import type { BlockBlobClient } from "@azure/storage-blob";
import { HOLDING_A_FILE_MS } from "../../files/errors.ts";
import type { OpenFile } from "../../files/read-file.ts";
import { md5 } from "../../model/content.ts";
import { attributesOf, type Entry } from "../../model/entry.ts";
import { BLOCK, type Budget } from "../../storage/budget.ts";
import type { DirectRequests } from "../../storage/direct-requests.ts";
import { end, type PutBlobRequests } from "../../storage/put-blob-request.ts";
import { retrying, withRetries } from "../../storage/retries.ts";
import { NotStored } from "../storing.ts";
import { blobHeaders, blobMetadata } from "./blob-headers.ts";
import { blockId, type Uncommitted } from "./block-ids.ts";
import type { Put } from "./look-up.ts";
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

/** A block of a blob that is not committed yet. */
interface Block {
  /** The blob's. */
  name: string;
  /** Base64. */
  id: string;
  content: Buffer;
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
): Promise<Put> {
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

/**
 * Put Block as a direct request: a backup makes one for each 8 MiB of larger files. So it shares its sockets with the other
 * frequent requests, and gives them back when handles are short.
 * @throws RestError as the SDK does; a TimeoutError if there is no answer within `timeout` milliseconds
 */
async function putBlock(
  direct: DirectRequests,
  { name, id, content }: Block,
  timeout: number,
): Promise<void> {
  const hash = md5(content);
  const query = { comp: "block", blockid: id };
  const headers = { "Content-MD5": hash.toString("base64") };
  const request = { span: "BlockBlobClient-stageBlock", method: "PUT", name, query, headers } as const;
  await direct.send({ ...request, content: [content], timeout }, end, async () => {
    const how = { abortSignal: AbortSignal.timeout(timeout), transactionalContentMD5: hash };
    await direct.container.getBlockBlobClient(name).stageBlock(id, content, content.length, how);
    return {};
  });
}
