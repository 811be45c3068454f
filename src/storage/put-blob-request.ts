import type { IncomingMessage } from "node:http";
import type { ContainerClient } from "@azure/storage-blob";
import { putBySdk, type BlobWritten, type WholeBlob } from "./by-sdk.ts";
import { DirectRequests } from "./direct-requests.ts";

/** Put Blob as a direct request: a backup makes one for every file. */
export class PutBlobRequests {
  readonly direct: DirectRequests;

  constructor(container: ContainerClient, behindProxy: boolean) {
    this.direct = new DirectRequests(container, behindProxy);
  }

  /** @throws RestError as the SDK does; a TimeoutError if there is no answer within `timeout` milliseconds */
  async put(blob: WholeBlob, timeout: number): Promise<BlobWritten> {
    const { name } = blob;
    const content = [blob.content].flat();
    const headers = headersOf(blob);
    return await this.direct.send(
      { span: "BlockBlobClient-upload", method: "PUT", name, headers, content, timeout },
      writtenOf,
      () => putBySdk(this.direct.container, blob, timeout),
    );
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
export function writtenOf(answer: IncomingMessage): Promise<BlobWritten> {
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
