import type { IncomingMessage, ServerResponse } from "node:http";

/** An answer from the host itself. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON; without it the answer is empty. */
  json?: unknown;
}

export function send(response: ServerResponse, answer: Answer): void {
  const body = begin(response, answer);
  response.end(response.req.method === "HEAD" ? "" : body);
}

/** On everything the host itself answers: a browser must not take JSON for a script or a page. */
export const NO_SNIFFING = { "X-Content-Type-Options": "nosniff" };

/** How long a client that is still sending is read, so that it gets to read its answer. */
const LINGER_MS = 200;

/**
 * Answers a request without reading its whole body, and closes the connection. Closing it while the client sends
 * would reset it and lose the answer, so what still arrives is discarded for a moment.
 */
export function sendUnread(response: ServerResponse, answer: Answer): void {
  response.write(begin(response, { ...answer, headers: { ...answer.headers, Connection: "close" } }));
  void discardRest(response.req).then(() => response.end());
}

/** Discards what a client still sends, for a moment: until then its connection must not be closed. */
export async function discardRest(request: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, LINGER_MS);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (request.complete || request.destroyed) end();
    else request.once("end", end).once("close", end).resume();
  });
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
