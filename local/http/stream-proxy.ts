/**
 * Streamed HTTP (`app.setup({ enableHttpStream: true })`): the app runs its own server, and the host forwards
 * requests to it, each marked with its invocation's id.
 */
import { request as httpRequest } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

/** Resolves when the whole answer has been forwarded; rejects if `signal` ends it or a connection breaks. */
export async function forwardStream(
  base: string,
  invocationId: string,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const target = new URL(request.url ?? "/", base);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const forwarded = httpRequest(target, {
      method: request.method,
      signal,
      headers: {
        ...request.headers,
        "x-forwarded-host": request.headers.host,
        "x-forwarded-proto": "http",
        "x-ms-invocation-id": invocationId,
      },
    });
    forwarded.once("response", resolve).once("error", reject);
    pipeline(request, forwarded).catch(reject);
  });
  const { "x-ms-invocation-id": _, ...headers } = answer.headers;
  response.writeHead(answer.statusCode ?? 200, headers);
  await pipeline(answer, response);
}
