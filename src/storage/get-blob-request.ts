import type { IncomingMessage } from "node:http";
import { RestError, type BlobClient, type ContainerClient } from "@azure/storage-blob";
import { DirectRequests } from "./direct-requests.ts";

/** Stored content: of a blob, a snapshot or a version. */
export interface KeptContent {
  name: string;
  /** The content is valid only while the blob has this ETag. */
  etag?: string;
  snapshot?: string;
  versionId?: string;
}

/** Get Blob as a direct request: a restore makes one for every file. */
export class GetBlobRequests {
  readonly #requests: DirectRequests;

  constructor(container: ContainerClient, behindProxy: boolean) {
    this.#requests = new DirectRequests(container, behindProxy);
  }

  get container(): ContainerClient {
    return this.#requests.container;
  }

  get behindProxy(): boolean {
    return this.#requests.behindProxy;
  }

  /**
   * Fills `into` with the content from `position` on. Nothing writes to it after this has returned or thrown.
   * @throws RestError as the SDK does, also if there is less; a TimeoutError if it has not arrived within `timeout`
   * milliseconds
   */
  async read(content: KeptContent, position: number, into: Buffer, timeout: number): Promise<void> {
    const { name, etag, snapshot, versionId } = content;
    const query = {
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(versionId === undefined ? {} : { versionid: versionId }),
    };
    const headers = {
      "x-ms-range": `bytes=${position}-${position + into.length - 1}`,
      ...(etag === undefined ? {} : { "If-Match": etag }),
    };
    await this.#requests.send(
      { span: "BlobClient-download", method: "GET", name, query, headers, timeout },
      (answer) => fill(into, answer),
      () => this.#readBySdk(content, position, into, timeout),
    );
  }

  async #readBySdk(kept: KeptContent, position: number, into: Buffer, timeout: number): Promise<void> {
    const { etag } = kept;
    const content = await keptBlob(this.container, kept).downloadToBuffer(position, into.length, {
      abortSignal: AbortSignal.timeout(timeout),
      blockSize: into.length,
      ...(etag === undefined ? {} : { conditions: { ifMatch: etag } }),
    });
    content.copy(into);
  }
}

/** The SDK's client for it. */
export function keptBlob(
  container: ContainerClient,
  { name, snapshot, versionId }: Omit<KeptContent, "etag">,
): BlobClient {
  const blob = container.getBlobClient(name);
  if (snapshot !== undefined) return blob.withSnapshot(snapshot);
  return versionId === undefined ? blob : blob.withVersion(versionId);
}

/** Reads an answer that must be exactly as long as `into`. */
async function fill(into: Buffer, answer: IncomingMessage): Promise<void> {
  let filled = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (filled + chunk.length <= into.length) chunk.copy(into, filled);
    filled += chunk.length;
  }
  if (filled === into.length) return;
  const problem = `${filled} bytes came instead of ${into.length}`;
  throw new RestError(problem, { code: RestError.PARSE_ERROR });
}
