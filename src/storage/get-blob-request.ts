import type { IncomingMessage } from "node:http";
import { RestError, type ContainerClient } from "@azure/storage-blob";
import { readBySdk, type KeptContent } from "./by-sdk.ts";
import { DirectRequests } from "./direct-requests.ts";

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
      () => readBySdk(this.container, content, position, into, timeout),
    );
  }
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
