import type { ServerResponse } from "node:http";

/** An answer of the host itself. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON; without one the answer is empty. */
  json?: unknown;
}

export function send(response: ServerResponse, answer: Answer): void {
  const body = answer.json === undefined ? "" : JSON.stringify(answer.json);
  response.writeHead(answer.status, {
    "Content-Length": Buffer.byteLength(body),
    ...(answer.json === undefined ? {} : { "Content-Type": "application/json; charset=utf-8" }),
    ...answer.headers,
  });
  response.end(response.req.method === "HEAD" ? "" : body);
}

/** An error as the extension words it: a message, and what lay behind it. */
export function errorAnswer(status: number, message: string, cause?: unknown): Answer {
  const detail = cause instanceof Error ? { ExceptionMessage: cause.message, ExceptionType: cause.name } : {};
  return { status, json: { Message: message, ...detail } };
}
