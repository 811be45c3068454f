/** Requests byte by byte, as no well-behaved client sends them. */
import { connect } from "node:net";

/** A request; all texts are bytes, one a character. */
export interface RawRequest {
  method: string;
  target: string;
  /** In their order, whatever their names. Host and Content-Length are added where they are missing. */
  headers: [string, string][];
  body?: string;
}

export interface RawAnswer {
  status: number;
  /** By lower-case name. */
  headers: Map<string, string>;
  body: string;
}

/** @throws Error when no answer has come in time: the host hangs, or is gone */
export function send(url: string, request: RawRequest, withinMs = 20_000): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(new Error("no answer in time")), withinMs);
    socket
      .on("data", (data) => chunks.push(data))
      .on("error", (error: NodeJS.ErrnoException) => {
        // It is closed while this end writes, when the request is refused by its beginning.
        if (!["ECONNRESET", "EPIPE"].includes(error.code ?? "")) reject(error);
      })
      .once("close", () => {
        clearTimeout(timer);
        const answer = parse(Buffer.concat(chunks).toString("latin1"));
        if (answer) resolve(answer);
        else reject(new Error("the connection was closed without an answer"));
      });
    socket.write(Buffer.from(textOf(request, `${hostname}:${port}`), "latin1"));
  });
}

function textOf({ method, target, headers, body = "" }: RawRequest, host: string): string {
  const has = (name: string) => headers.some(([given]) => given.toLowerCase() === name);
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const own = has("host") ? "" : `Host: ${host}\r\n`;
  const length = body === "" || has("content-length") ? "" : `Content-Length: ${body.length}\r\n`;
  return `${method} ${target} HTTP/1.1\r\n${own}${lines}${length}Connection: close\r\n\r\n${body}`;
}

function parse(text: string): RawAnswer | undefined {
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? [];
  if (status === undefined) return undefined;
  const end = text.indexOf("\r\n\r\n");
  const lines = text.slice(0, end).split("\r\n").slice(1);
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const body = text.slice(end + 4);
  return {
    status: Number(status),
    headers,
    body: headers.get("transfer-encoding") === "chunked" ? joined(body) : body,
  };
}

function joined(chunked: string): string {
  let body = "";
  for (let at = 0; ;) {
    const end = chunked.indexOf("\r\n", at);
    const length = Number.parseInt(chunked.slice(at, end), 16);
    if (end < 0 || !(length > 0)) return body;
    body += chunked.slice(end + 2, end + 2 + length);
    at = end + 4 + length;
  }
}
