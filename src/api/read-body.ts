import type { HttpRequest } from "@azure/functions";
import { HttpProblem } from "./problem.ts";

/** The largest body, in bytes: a request is a path and some patterns. */
const MOST_BYTES = 1024 * 1024;
/** Levels of arrays and objects; a request has two. */
const DEEPEST = 16;

/** @throws HttpProblem 413 before reading a body that declares itself too large */
export function refuseLargeBody(request: HttpRequest): void {
  if (Number(request.headers.get("content-length") ?? 0) > MOST_BYTES) throw tooLarge();
}

/**
 * The JSON value of a request's body; undefined if it is empty.
 * @throws HttpProblem 413 (too large), 415 (not plain JSON by its headers) or 400 (not JSON)
 */
export async function readBody(request: HttpRequest): Promise<unknown> {
  refuseLargeBody(request);
  const bytes = await bytesOf(request);
  if (bytes.length === 0) return undefined;

  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity") throw compressed(`Content-Encoding: ${encoding.slice(0, 64)}`);
  const type = (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json" && !/^application\/[\w.-]+\+json$/.test(type)) {
    const got = type === "" ? "The request has no Content-Type" : `The Content-Type is ${type.slice(0, 64)}`;
    throw new HttpProblem(415, `${got}; send the body as application/json.`);
  }
  return parse(textOf(bytes));
}

/** Reads no more than it takes. What is left of a larger body is not canceled: that would close the connection before the answer. */
async function bytesOf({ body }: HttpRequest): Promise<Buffer> {
  const reader = body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let piece = await reader?.read(); piece?.value; piece = await reader?.read()) {
    size += piece.value.length;
    if (size > MOST_BYTES) throw tooLarge();
    pieces.push(piece.value);
  }
  return Buffer.concat(pieces);
}

function textOf(bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0x1f && second === 0x8b) throw compressed("gzip");
  // A byte order mark, or the zero bytes of ASCII in UTF-16: JSON has no unescaped zero.
  const hasMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (hasMark || first === 0 || second === 0) {
    throw new HttpProblem(400, "The body is UTF-16, the default of Windows PowerShell; send it as UTF-8.");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpProblem(400, "The body is not UTF-8.");
  }
}

function parse(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const hint = /^\s*"[^"]*\\[^"\\/bfnrtu]/.test(text)
      ? ' In JSON, each "\\" of a Windows path is written "\\\\".'
      : "";
    throw new HttpProblem(400, `The body is not JSON: ${(error as Error).message}.${hint}`);
  }
  if (isDeeper(value, DEEPEST)) {
    throw new HttpProblem(400, `The body is nested more than ${DEEPEST} levels deep.`);
  }
  return value;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function tooLarge(): HttpProblem {
  return new HttpProblem(413, `The body is larger than 1 MiB (${MOST_BYTES} bytes).`);
}

function compressed(how: string): HttpProblem {
  return new HttpProblem(415, `The body is compressed (${how}); send it uncompressed.`);
}
