import type { HttpRequest } from "@azure/functions";
import { HttpProblem } from "./problem.ts";

/** The largest body, in bytes: a request is a path and a few patterns. */
const MOST_BYTES = 64 * 1024;

/**
 * The JSON value of a request's body; undefined when it is empty.
 * @throws HttpProblem 413 (too large), 415 (not declared as JSON) or 400 (not JSON)
 */
export async function readBody(request: HttpRequest): Promise<unknown> {
  const tooLarge = () => new HttpProblem(413, `The body is larger than 64 KiB (${MOST_BYTES} bytes).`);
  if (Number(request.headers.get("content-length") ?? 0) > MOST_BYTES) throw tooLarge();
  const bytes = Buffer.from(await request.arrayBuffer());
  if (bytes.length > MOST_BYTES) throw tooLarge();
  if (bytes.length === 0) return undefined;

  const type = (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json" && !/^application\/[\w.-]+\+json$/.test(type)) {
    const got = type === "" ? "The request has no Content-Type" : `The Content-Type is ${type.slice(0, 64)}`;
    throw new HttpProblem(415, `${got}; send the body as application/json.`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpProblem(400, "The body is not UTF-8.");
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const hint = /^\s*"[^"]*\\[^"\\/bfnrtu]/.test(text)
      ? ' In JSON, each "\\" of a Windows path is written "\\\\".'
      : "";
    throw new HttpProblem(400, `The body is not JSON: ${(error as Error).message}.${hint}`);
  }
}
