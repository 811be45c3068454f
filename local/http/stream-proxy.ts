/**
 * Streamed HTTP (`app.setup({ enableHttpStream: true })`): the app runs its own server, and the host forwards
 * requests to it, each marked with its invocation's id.
 */
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import { pipeline } from "node:stream/promises";
import { discardRest } from "./answer.ts";
import { LARGEST_BODY, tooLarge } from "./request-body.ts";

/** Headers of one connection, not of what is sent on it. Whether a request comes in chunks is for both. */
const HOP_BY_HOP = ["connection", "expect", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"];

/** Where a request is forwarded to. */
interface StreamTarget {
  port: number;
  invocationId: string;
}

/**
 * Forwards a request and its answer, both as they come. Whoever ends early, the client or the app, ends both connections.
 * @param signal ends them, too
 * @throws BodyTooLargeError; an error of a connection, after which the client's answer is cut short if it has begun
 */
export async function forwardStream(
  { port, invocationId }: StreamTarget,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const forwarded = httpRequest({
    host: "127.0.0.1",
    port,
    method: request.method,
    path: request.url,
    // A connection that was used before may be closed at this moment.
    agent: false,
    signal,
    headers: {
      ...endToEnd(request.headers),
      // Else the app's server would close it with its answer, while the client may still be sending.
      connection: "keep-alive",
      "x-forwarded-host": request.headers.host,
      "x-forwarded-proto": "http",
      "x-ms-invocation-id": invocationId,
    },
  });
  response.once("close", () => forwarded.destroy());
  let size = 0;
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      forwarded.once("response", resolve).once("error", reject);
      request.on("data", ({ length }: Buffer) => {
        size += length;
        if (size > LARGEST_BODY) reject(tooLarge(LARGEST_BODY));
      });
      request.pipe(forwarded);
    });
    const { "x-ms-invocation-id": _, "transfer-encoding": _chunked, ...headers } = endToEnd(answer.headers);
    const isUnread = !request.complete;
    response.writeHead(answer.statusCode ?? 200, {
      ...headers,
      ...(isUnread ? { connection: "close" } : {}),
    });
    await pipeline(answer, response, { end: false });
    if (isUnread) await discardRest(request);
    response.end();
  } catch (error) {
    if (response.headersSent) response.destroy();
    throw error;
  } finally {
    request.unpipe(forwarded);
    forwarded.destroy();
  }
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)));
}
