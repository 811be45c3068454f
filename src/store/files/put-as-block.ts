import type { BlockBlobClient } from "@azure/storage-blob";
import type { BlobWritten, WholeBlob } from "../../storage/whole-blob.ts";
import { blockId, markOf, uncommittedBlocks } from "./block-ids.ts";

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
