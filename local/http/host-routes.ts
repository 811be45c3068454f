/** Answers every request: the Durable API, the host's own pages, the app's functions. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { hostname } from "node:os";
import { NO_SNIFFING, send } from "./answer.ts";
import type { DurableApi } from "./durable-api.ts";
import type { FunctionRoutes } from "./function-routes.ts";
import { functionRequest } from "./function-request.ts";
import { writeFunctionResponse } from "./function-response.ts";
import { WEBHOOK_PATH } from "./management-urls.ts";
import {
  BodyReader,
  BodyTooLargeError,
  checkDeclared,
  LARGEST_BODY,
  LARGEST_DURABLE_BODY,
} from "./request-body.ts";
import { forwardStream } from "./stream-proxy.ts";
import { traceParentOf } from "../durable/trace-context.ts";
import { messageOf } from "../start-up-error.ts";
import type { Logger } from "../log/logger.ts";
import { LEASE_PATH, type Users } from "../users.ts";
import type { InvocationResult } from "../worker/messages.ts";
import type { Worker } from "../worker/worker.ts";

export const RPC_PATH = "/durabletask";

interface HostRoutesOptions {
  durable: DurableApi;
  functions: FunctionRoutes;
  worker: Worker;
  log: Logger;
  /** The durable client binding's value. */
  durableClient: string;
  /** The port where the app accepts streamed HTTP, if it has asked for that. */
  streamPort: number | undefined;
  /** Of a host that ends with the last of them. */
  users: Users | undefined;
}

export class HostRoutes {
  readonly #options: HostRoutesOptions;
  readonly #bodies = new BodyReader();

  constructor(options: HostRoutesOptions) {
    this.#options = options;
  }

  /** For the loopback address that durable-functions' client calls. */
  async rpc(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#durable(request, response, RPC_PATH);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request);
    if (path === WEBHOOK_PATH || path.startsWith(`${WEBHOOK_PATH}/`)) {
      await this.#durable(request, response, WEBHOOK_PATH);
      return;
    }
    const method = request.method ?? "GET";
    const found = this.#options.functions.find(method, path);
    if (found) await this.#invoke(request, response, found.route.metadata, found.params);
    else if (path === "/admin/host/status" && method === "GET")
      send(response, { status: 200, json: hostStatus() });
    else if (path === LEASE_PATH && method === "GET" && this.#options.users)
      this.#options.users.lease(response);
    else if (path === "/" && (method === "GET" || method === "HEAD")) sendPage(response);
    else send(response, { status: 404 });
  }

  async #durable(request: IncomingMessage, response: ServerResponse, base: string): Promise<void> {
    const origin = `http://${request.headers.host}`;
    if (!request.url?.startsWith("/")) {
      send(response, { status: 404 });
      return;
    }
    const url = new URL(`${origin}${request.url}`);
    const token = request.headers["x-ms-continuation-token"];
    const answer = await this.#options.durable.handle({
      method: request.method ?? "GET",
      path: url.pathname.startsWith(base) ? url.pathname.slice(base.length) : "",
      query: url.searchParams,
      url: `${origin}${request.url}`,
      origin,
      contentType: request.headers["content-type"] ?? "",
      trace: traceParentOf(request.headers),
      isOpen: () => !response.closed,
      continuationToken: Array.isArray(token) ? token[0] : token,
      body: (await this.#bodies.read(request, LARGEST_DURABLE_BODY)).toString("utf8"),
    });
    send(response, answer);
  }

  async #invoke(
    request: IncomingMessage,
    response: ServerResponse,
    metadata: Parameters<typeof functionRequest>[0],
    params: Record<string, string>,
  ): Promise<void> {
    const { worker, log, durableClient, streamPort: port } = this.#options;
    if (port !== undefined) checkDeclared(request, LARGEST_BODY);
    const body = port === undefined ? await this.#bodies.read(request, LARGEST_BODY) : Buffer.alloc(0);
    const message = functionRequest(metadata, request, params, body, durableClient);
    const where = { functionName: metadata.name, invocationId: message.invocationId };
    const start = performance.now();
    const invocation = worker.invoke(message);
    const abort = new AbortController();
    const { invocationId } = message;
    const streamed =
      port === undefined ? undefined : forwardStream({ port, invocationId }, request, response, abort.signal);
    streamed?.catch((error: unknown) => log.debug(`stream ended: ${messageOf(error)}`, where));
    const result = await Promise.race([invocation, unlessUnreached(streamed, invocation)]);
    const took = `${Math.round(performance.now() - start)} ms`;
    if (result.status === "failure") {
      log.error(
        `${request.method} ${pathOf(request)} failed (${took}): ${result.exception.message}\n${result.exception.stack}`,
        where,
      );
      abort.abort();
      // The real host also hides from the caller what went wrong.
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
      return;
    }
    try {
      await streamed;
    } catch (error) {
      // The client went away.
      if (response.destroyed) return;
      throw error;
    }
    const answer = result.response.returnValue?.http;
    if (streamed === undefined) writeFunctionResponse(response, answer);
    log.info(`${request.method} ${pathOf(request)} ${response.statusCode} (${took})`, where);
  }
}

/** An invocation whose request does not come waits for it forever. */
async function unlessUnreached(
  streamed: Promise<void> | undefined,
  invocation: Promise<InvocationResult>,
): Promise<InvocationResult> {
  try {
    await streamed;
  } catch (error) {
    if (error instanceof BodyTooLargeError || (error as NodeJS.ErrnoException).syscall === "connect")
      throw error;
  }
  return await invocation;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0] ?? "/";
}

function hostStatus() {
  return {
    id: hostname(),
    state: "Running",
    version: "4.1037.0.0",
    versionDetails: "local host",
    platformVersion: "",
    instanceId: "",
    computerName: "",
    processUptime: Math.round(process.uptime() * 1000),
    functionAppContentEditingState: "Unknown",
  };
}

function sendPage(response: ServerResponse): void {
  const page =
    "<!DOCTYPE html>\n<html><head><title>Your function app is up and running.</title></head>" +
    "<body><h1>Your function app is up and running.</h1><p>This is the local host.</p></body></html>\n";
  response.writeHead(200, {
    "Content-Type": "text/html",
    "Content-Length": Buffer.byteLength(page),
    ...NO_SNIFFING,
  });
  response.end(response.req.method === "HEAD" ? "" : page);
}
