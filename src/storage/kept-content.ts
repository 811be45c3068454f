import type { BlobClient, ContainerClient } from "@azure/storage-blob";

/** Stored content: of a blob, a snapshot or a version. */
export interface KeptContent {
  name: string;
  /** The content is valid only while the blob has this ETag. */
  etag?: string;
  snapshot?: string;
  versionId?: string;
}

/** Reads a range of it by the SDK, as DirectRequests does where only that can. */
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

/** The SDK's client for it. */
function keptBlob(
  container: ContainerClient,
  { name, snapshot, versionId }: Omit<KeptContent, "etag">,
): BlobClient {
  const blob = container.getBlobClient(name);
  if (snapshot !== undefined) return blob.withSnapshot(snapshot);
  return versionId === undefined ? blob : blob.withVersion(versionId);
}
