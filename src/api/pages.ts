import type { z } from "zod";
import { HttpProblem } from "./problem.ts";

/**
 * The answer with a page of a list, and a link to the next one.
 * @throws HttpProblem 400 for a continuation that no page returned
 */
export async function pageAnswer<Page extends { continuation?: string | undefined }>(
  path: string,
  query: Record<string, unknown>,
  reading: Promise<Page>,
): Promise<{ jsonBody: Page; headers: Record<string, string> }> {
  try {
    const page = await reading;
    return { jsonBody: page, headers: nextLink(path, query, page.continuation) };
  } catch (error) {
    if (error instanceof BadContinuation) throw new HttpProblem(400, `"continuation": ${error.message}.`);
    throw error;
  }
}

/** The header that links to a list's next page (RFC 8288); none on the last one. */
function nextLink(
  path: string,
  query: Record<string, unknown>,
  continuation: string | undefined,
): Record<string, string> {
  if (continuation === undefined) return {};
  const next = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, continuation })) {
    if (value !== undefined) next.set(name, String(value));
  }
  return { Link: `<${path}?${next.toString()}>; rel="next"` };
}

/** A continuation that this app did not issue, or issued for another list. */
export class BadContinuation extends Error {
  constructor() {
    super("not one that an earlier page returned; start again without it");
  }
}

/** A place in a list as an opaque token. */
export function toToken(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** @throws BadContinuation */
export function fromToken<T>(schema: z.ZodType<T>, token: string): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(token, "base64url").toString("utf8")));
  } catch {
    throw new BadContinuation();
  }
}
