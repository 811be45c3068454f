import http from "node:http";
import https from "node:https";
import { urlToHttpOptions } from "node:url";
import { createTracingClient } from "@azure/core-tracing";
import type { TokenCredential } from "@azure/identity";
import { RestError, StorageSharedKeyCredential, type ContainerClient } from "@azure/storage-blob";
import { whenOutOfHandles } from "../file-system/handles.ts";
import { classify } from "./errors.ts";
import { refusal } from "./refusal.ts";
import { accountKey, signPut, type AccountKey } from "./shared-key.ts";

/** A version of the service's interface that every account and emulator speaks. */
const VERSION = "2021-12-02";
const SCOPE = "https://storage.azure.com/.default";
/** A token is got anew so long before it expires, milliseconds. */
const TOKEN_MARGIN = 120_000;
/** Sockets are used again by all batches of the process. How many are open is for the budget to say. */
const AGENTS = {
  "http:": new http.Agent({ keepAlive: true }),
  "https:": new https.Agent({ keepAlive: true }),
};
// A file is waiting for the handle of a socket that waits for nothing.
whenOutOfHandles(() => {
  for (const { freeSockets } of Object.values(AGENTS)) {
    for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
  }
});

/** As the SDK's own calls are told to who traces; does nothing while nobody does. */
const TRACING = createTracingClient({ namespace: "Microsoft.Storage", packageName: "site-backup" });

/** A blob that is written by one request. */
export interface WholeBlob {
  name: string;
  content: Buffer;
  /** Base64; the service checks by it what arrives, and keeps it. */
  md5: string;
  contentType: string;
  metadata: Record<string, string>;
  conditions: { ifMatch?: string; ifNoneMatch?: string };
}

/**
 * Put Blob without the SDK's pipeline: the one request that is made for every file, so that its cost is the client's
 * speed. The SDK takes four times the processor's time for it (docs/performance.md). All other requests are the SDK's.
 */
export class PutBlobRequests {
  readonly #container: ContainerClient;
  readonly #target: http.RequestOptions;
  readonly #origin: string;
  readonly #path: string;
  readonly #query: string;
  readonly #key: AccountKey | undefined;
  #token: { value: string; renewAt: number } | undefined;
  /** The SDK does what this does not: go through a proxy, or get a token of another tenant than the identity's own. */
  #bySdk: boolean;

  constructor(container: ContainerClient, behindProxy: boolean) {
    const { credential } = container;
    const url = new URL(container.url);
    const agent = url.protocol === "https:" ? AGENTS["https:"] : AGENTS["http:"];
    this.#container = container;
    this.#target = { ...urlToHttpOptions(url), method: "PUT", agent };
    this.#origin = url.origin;
    this.#path = url.pathname;
    this.#key = credential instanceof StorageSharedKeyCredential ? accountKey(credential) : undefined;
    this.#query = url.search;
    // The SDK refuses to send a token unencrypted.
    this.#bySdk = behindProxy || (url.protocol !== "https:" && "getToken" in credential);
  }

  /** @throws RestError as the SDK does; a TimeoutError when no answer has come after `timeout` milliseconds */
  async put(blob: WholeBlob, timeout: number): Promise<void> {
    if (this.#bySdk) return await this.#putBySdk(blob, timeout);
    await TRACING.withSpan("BlockBlobClient-upload", {}, async (_options, span) => {
      const path = `${this.#path}/${blob.name.split("/").map(encodeURIComponent).join("/")}`;
      if (span.isRecording()) span.setAttribute("url.full", this.#origin + path);
      await this.#putByHand(blob, path, timeout);
    });
  }

  async #putByHand(blob: WholeBlob, path: string, timeout: number): Promise<void> {
    const { credential } = this.#container;
    const headers = headersOf(blob);
    if (this.#key) headers["Authorization"] = signPut(headers, path, this.#key);
    else if ("getToken" in credential) headers["Authorization"] = `Bearer ${await this.#tokenOf(credential)}`;
    try {
      await send({ ...this.#target, path: path + this.#query, headers }, blob.content, timeout);
    } catch (error) {
      if (this.#token && classify(error) === "refused") {
        this.#bySdk = true;
        return await this.#putBySdk(blob, timeout);
      }
      throw error;
    }
  }

  async #tokenOf(credential: TokenCredential): Promise<string> {
    if (!this.#token || Date.now() > this.#token.renewAt) {
      const token = await credential.getToken(SCOPE);
      if (!token) throw new RestError("The identity got no token.", { statusCode: 401 });
      this.#token = { value: token.token, renewAt: token.expiresOnTimestamp - TOKEN_MARGIN };
    }
    return this.#token.value;
  }

  async #putBySdk(blob: WholeBlob, timeout: number): Promise<void> {
    const { name, content, contentType, metadata, conditions } = blob;
    const md5 = Buffer.from(blob.md5, "base64");
    await this.#container.getBlockBlobClient(name).upload(content, content.length, {
      abortSignal: AbortSignal.timeout(timeout),
      conditions,
      metadata,
      transactionalContentMD5: md5,
      blobHTTPHeaders: { blobContentMD5: md5, blobContentType: contentType },
    });
  }
}

function headersOf(blob: WholeBlob): Record<string, string> {
  const { content, md5, contentType, metadata, conditions } = blob;
  const headers: Record<string, string> = {
    "Content-Length": String(content.length),
    "Content-MD5": md5,
    "User-Agent": "site-backup",
    "x-ms-blob-content-md5": md5,
    "x-ms-blob-content-type": contentType,
    "x-ms-blob-type": "BlockBlob",
    "x-ms-client-request-id": crypto.randomUUID(),
    "x-ms-date": new Date().toUTCString(),
    "x-ms-version": VERSION,
  };
  for (const [name, value] of Object.entries(metadata)) headers[`x-ms-meta-${name}`] = value;
  if (conditions.ifMatch !== undefined) headers["If-Match"] = conditions.ifMatch;
  if (conditions.ifNoneMatch !== undefined) headers["If-None-Match"] = conditions.ifNoneMatch;
  return headers;
}

/** Sends a request and waits until the service has answered that the blob is created. */
async function send(options: http.RequestOptions, content: Buffer, timeout: number): Promise<void> {
  const { request: begin } = options.protocol === "https:" ? https : http;
  await new Promise<void>((resolve, reject) => {
    const request = begin(options, (response) => {
      response.once("error", fail);
      if (response.statusCode !== 201) return void refusal(response).then(fail, fail);
      response.resume();
      response.once("end", () => {
        clearTimeout(stalled);
        resolve();
      });
    });
    const stalled = setTimeout(
      () => request.destroy(new DOMException("no answer came in time", "TimeoutError")),
      timeout,
    );
    function fail(error: Error): void {
      clearTimeout(stalled);
      reject(error);
    }
    request.once("error", fail);
    request.end(content);
  });
}
