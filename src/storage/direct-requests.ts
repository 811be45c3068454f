import http from "node:http";
import https from "node:https";
import { urlToHttpOptions } from "node:url";
import { createTracingClient } from "@azure/core-tracing";
import type { TokenCredential } from "@azure/identity";
import { RestError, StorageSharedKeyCredential, type ContainerClient } from "@azure/storage-blob";
import { whenOutOfHandles } from "../files/errors.ts";
import { classify } from "./errors.ts";
import { refusal } from "./refusal.ts";
import { accountKey, sign, type AccountKey } from "./shared-key.ts";

/** A version of the service's API that every account and emulator speaks. */
const VERSION = "2021-12-02";
const SCOPE = "https://storage.azure.com/.default";
/** A token is renewed this long before it expires, milliseconds. */
const TOKEN_MARGIN = 120_000;
/** All batches of the process share their sockets, and so does the SDK (connect.ts). The budget limits how many are open. */
const AGENTS = [http.globalAgent, https.globalAgent];
// Idle sockets give up their handles when a file needs one.
whenOutOfHandles(() => {
  for (const { freeSockets } of AGENTS) {
    for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
  }
});

/** Traces requests as the SDK does its own, if tracing is on. */
const TRACING = createTracingClient({ namespace: "Microsoft.Storage", packageName: "site-backup" });

/** A request to a container or, with a name, to a blob in it. */
interface DirectRequest {
  /** The SDK's name for it, for traces. */
  span: string;
  method: "GET" | "PUT";
  name?: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  content?: readonly Buffer[];
  /** Milliseconds after which it counts as stalled. */
  timeout: number;
}

/**
 * Requests without the SDK's pipeline, where the client's speed matters: for a small blob or a listing the SDK takes
 * four times the CPU time (docs/performance.md). The SDK makes all other requests, and these where only it can:
 * through a proxy, or with a token of another tenant than the identity's own.
 */
export class DirectRequests {
  readonly container: ContainerClient;
  readonly behindProxy: boolean;
  readonly #target: http.RequestOptions;
  readonly #origin: string;
  readonly #path: string;
  /** The shared access signature's query, "?…"; empty if there is none. */
  readonly #signature: string;
  readonly #key: AccountKey | undefined;
  #token: { value: string; renewAt: number } | undefined;
  #bySdk: boolean;

  constructor(container: ContainerClient, behindProxy: boolean) {
    const { credential } = container;
    const url = new URL(container.url);
    this.container = container;
    this.behindProxy = behindProxy;
    this.#target = urlToHttpOptions(url);
    this.#origin = url.origin;
    this.#path = url.pathname;
    this.#key = credential instanceof StorageSharedKeyCredential ? accountKey(credential) : undefined;
    this.#signature = url.search;
    // The SDK refuses to send a token unencrypted.
    this.#bySdk = behindProxy || (url.protocol !== "https:" && "getToken" in credential);
  }

  /**
   * @param read takes what a success answers, to its end
   * @param bySdk the same by the SDK
   * @throws RestError as the SDK does; a TimeoutError when the answer has not come in time
   */
  async send<T>(
    request: DirectRequest,
    read: (answer: http.IncomingMessage) => Promise<T>,
    bySdk: () => Promise<T>,
  ): Promise<T> {
    if (this.#bySdk) return await bySdk();
    const { name } = request;
    const path =
      name === undefined ? this.#path : `${this.#path}/${name.split("/").map(encodeURIComponent).join("/")}`;
    return await TRACING.withSpan(request.span, {}, async (_options, span) => {
      if (span.isRecording()) span.setAttribute("url.full", this.#origin + path);
      try {
        return await this.#sendTo(path, request, read);
      } catch (error) {
        if (!this.#token || classify(error) !== "refused") throw error;
        this.#bySdk = true;
        return await bySdk();
      }
    });
  }

  async #sendTo<T>(
    path: string,
    { method, query = {}, headers: own, content, timeout }: DirectRequest,
    read: (answer: http.IncomingMessage) => Promise<T>,
  ): Promise<T> {
    const { credential } = this.container;
    const headers: Record<string, string> = {
      ...own,
      "User-Agent": "site-backup",
      "x-ms-client-request-id": crypto.randomUUID(),
      "x-ms-date": new Date().toUTCString(),
      "x-ms-version": VERSION,
    };
    if (content) headers["Content-Length"] = String(content.reduce((sum, { length }) => sum + length, 0));
    if (this.#key) headers["Authorization"] = sign({ method, headers, path, query }, this.#key);
    else if ("getToken" in credential) headers["Authorization"] = `Bearer ${await this.#tokenOf(credential)}`;
    const options = { ...this.#target, method, path: path + this.#search(query), headers };
    return await exchange(options, content, timeout, async (answer) => {
      const { statusCode = 0 } = answer;
      if (statusCode >= 200 && statusCode < 300) return await read(answer);
      const url = `${this.#origin}${path}?${new URLSearchParams(query).toString()}`;
      throw await refusal(answer, { method, url });
    });
  }

  #search(query: Readonly<Record<string, string>>): string {
    const own = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    if (own.length === 0) return this.#signature;
    return `${this.#signature === "" ? "?" : `${this.#signature}&`}${own.join("&")}`;
  }

  async #tokenOf(credential: TokenCredential): Promise<string> {
    if (!this.#token || Date.now() > this.#token.renewAt) {
      const token = await credential.getToken(SCOPE);
      if (!token) throw new RestError("The identity got no token.", { statusCode: 401 });
      this.#token = { value: token.token, renewAt: token.expiresOnTimestamp - TOKEN_MARGIN };
    }
    return this.#token.value;
  }
}

/** Sends a request, and waits until the answer is taken to its end. */
async function exchange<T>(
  options: http.RequestOptions,
  content: readonly Buffer[] = [],
  timeout: number,
  take: (answer: http.IncomingMessage) => Promise<T>,
): Promise<T> {
  const { request: begin } = options.protocol === "https:" ? https : http;
  return await new Promise<T>((resolve, reject) => {
    const request = begin(options, (answer) => {
      void take(answer)
        .then(resolve, reject)
        .finally(() => clearTimeout(stalled));
    });
    const stalled = setTimeout(
      () => request.destroy(new DOMException("no answer came in time", "TimeoutError")),
      timeout,
    );
    request.once("error", (error) => {
      clearTimeout(stalled);
      reject(error);
    });
    request.cork();
    for (const piece of content) request.write(piece);
    request.end();
  });
}
