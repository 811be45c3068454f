import type { ServerResponse } from "node:http";

/** An answer of the host itself. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON; without one the answer is empty. */
  json?: unknown;
}

export function send(response: ServerResponse, answer: Answer): void {
  const body = begin(response, answer);
  response.end(response.req.method === "HEAD" ? "" : body);
}

/** On all that the host itself answers: no browser is to take JSON for a script or a page. */
export const NO_SNIFFING = { "X-Content-Type-Options": "nosniff" };

/** How long a client that still sends is listened to, so that it comes to read its answer. */
const LINGER_MS = 200;

/**
 * Answers a request whose body is not read to its end, and ends the connection. To close it while the client sends would
 * reset it, and the answer be lost: what still comes is thrown away, for a moment.
 */
export function sendUnread(response: ServerResponse, answer: Answer): void {
  const request = response.req;
  response.write(begin(response, { ...answer, headers: { ...answer.headers, Connection: "close" } }));
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once("end", end).once("close", end).resume();
}

function begin(response: ServerResponse, answer: Answer): string {
  const body = answer.json === undefined ? "" : JSON.stringify(answer.json);
  response.writeHead(answer.status, {
    "Content-Length": Buffer.byteLength(body),
    ...NO_SNIFFING,
    ...(answer.json === undefined ? {} : { "Content-Type": "application/json; charset=utf-8" }),
    ...answer.headers,
  });
  return body;
}

/** An error as the extension words it: a message, and what lay behind it. */
export function errorAnswer(status: number, message: string, cause?: unknown): Answer {
  const detail = cause instanceof Error ? { ExceptionMessage: cause.message, ExceptionType: cause.name } : {};
  return { status, json: { Message: message, ...detail } };
}
