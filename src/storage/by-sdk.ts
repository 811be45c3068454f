import type { BlobClient, ContainerClient } from "@azure/storage-blob";

/** Stored content: of a blob, a snapshot or a version. */
export interface KeptContent {
  name: string;
  /** The content is valid only while the blob has this ETag. */
  etag?: string;
  snapshot?: string;
  versionId?: string;
}

/** A blob to be written by one request. */
export interface WholeBlob {
  name: string;
  /** Its bytes, in one piece or in several. */
  content: Buffer | readonly Buffer[];
  /** Base64; the service checks it on arrival, and stores it. */
  md5: string;
  contentType: string;
  metadata: Record<string, string>;
  conditions: { ifMatch?: string; ifNoneMatch?: string };
}

/** The answer to a write. */
export interface BlobWritten {
  etag?: string;
  /** Set where the account keeps versions. */
  versionId?: string;
}

/** Reads a range of a kept content by the SDK, where DirectRequests leaves it to that. */
export async function readBySdk(
  container: ContainerClient,
  kept: KeptContent,
  position: number,
  into: Buffer,
  timeout: number,
): Promise<void> {
  const { etag } = kept;
  const content = await keptBlob(container, kept).downloadToBuffer(position, into.length, {
    abortSignal: AbortSignal.timeout(timeout),
    blockSize: into.length,
    ...(etag === undefined ? {} : { conditions: { ifMatch: etag } }),
  });
  content.copy(into);
}

/** The SDK's client for a kept content. */
function keptBlob(
  container: ContainerClient,
  { name, snapshot, versionId }: Omit<KeptContent, "etag">,
): BlobClient {
  const blob = container.getBlobClient(name);
  if (snapshot !== undefined) return blob.withSnapshot(snapshot);
  return versionId === undefined ? blob : blob.withVersion(versionId);
}

/** Writes a whole blob by the SDK, where DirectRequests leaves it to that. */
export async function putBySdk(
  container: ContainerClient,
  blob: WholeBlob,
  timeout: number,
): Promise<BlobWritten> {
  const { name, contentType, metadata, conditions } = blob;
  const content = Buffer.isBuffer(blob.content) ? blob.content : Buffer.concat(blob.content);
  const md5 = Buffer.from(blob.md5, "base64");
  return await container.getBlockBlobClient(name).upload(content, content.length, {
    abortSignal: AbortSignal.timeout(timeout),
    conditions,
    metadata,
    transactionalContentMD5: md5,
    blobHTTPHeaders: { blobContentMD5: md5, blobContentType: contentType },
  });
}
