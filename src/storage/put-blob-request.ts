import type { IncomingMessage } from "node:http";
import type { ContainerClient } from "@azure/storage-blob";
import { DirectRequests } from "./direct-requests.ts";

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

/** Put Blob as a direct request: a backup makes one for every file. */
export class PutBlobRequests {
  readonly #requests: DirectRequests;

  constructor(container: ContainerClient, behindProxy: boolean) {
    this.#requests = new DirectRequests(container, behindProxy);
  }

  /** @throws RestError as the SDK does; a TimeoutError if there is no answer within `timeout` milliseconds */
  async put(blob: WholeBlob, timeout: number): Promise<BlobWritten> {
    const { name } = blob;
    const content = [blob.content].flat();
    const headers = headersOf(blob);
    return await this.#requests.send(
      { span: "BlockBlobClient-upload", method: "PUT", name, headers, content, timeout },
      end,
      () => this.#putBySdk(blob, timeout),
    );
  }

  async #putBySdk(blob: WholeBlob, timeout: number): Promise<BlobWritten> {
    const { name, contentType, metadata, conditions } = blob;
    const content = Buffer.isBuffer(blob.content) ? blob.content : Buffer.concat(blob.content);
    const md5 = Buffer.from(blob.md5, "base64");
    return await this.#requests.container.getBlockBlobClient(name).upload(content, content.length, {
      abortSignal: AbortSignal.timeout(timeout),
      conditions,
      metadata,
      transactionalContentMD5: md5,
      blobHTTPHeaders: { blobContentMD5: md5, blobContentType: contentType },
    });
  }
}

function headersOf(blob: WholeBlob): Record<string, string> {
  const { md5, contentType, metadata, conditions } = blob;
  const headers: Record<string, string> = {
    "Content-MD5": md5,
    "x-ms-blob-content-md5": md5,
    "x-ms-blob-content-type": contentType,
    "x-ms-blob-type": "BlockBlob",
  };
  for (const [name, value] of Object.entries(metadata)) headers[`x-ms-meta-${name}`] = value;
  if (conditions.ifMatch !== undefined) headers["If-Match"] = conditions.ifMatch;
  if (conditions.ifNoneMatch !== undefined) headers["If-None-Match"] = conditions.ifNoneMatch;
  return headers;
}

/** The body is empty; reading it frees the socket for the next request. */
function end(answer: IncomingMessage): Promise<BlobWritten> {
  const { etag, "x-ms-version-id": versionId } = answer.headers;
  const written = {
    ...(etag === undefined ? {} : { etag }),
    ...(typeof versionId === "string" ? { versionId } : {}),
  };
  return new Promise((resolve, reject) => {
    answer
      .once("error", reject)
      .once("end", () => resolve(written))
      .resume();
  });
}
