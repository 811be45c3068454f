import type { HttpRequest } from "@azure/functions";
import type { z } from "zod";
import { BadContinuation } from "./continuation.ts";
import { HttpProblem } from "./problem.ts";

/** Query parameters of the Functions host itself: the function key and its name. */
const HOSTS_OWN = ["code", "clientId"];

/** Parses a request's query. @throws HttpProblem 400 that names each wrong parameter */
export function readQuery<T>(schema: z.ZodType<T>, request: HttpRequest): T {
  const given = [...request.query].filter(([name]) => !HOSTS_OWN.includes(name));
  const query = Object.fromEntries(given);
  const twice = given.find(([name, value]) => query[name] !== value)?.[0];
  if (twice !== undefined) throw new HttpProblem(400, `"${twice.slice(0, 64)}" is given more than once.`);
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.slice(0, 5).map((issue) => {
    if (issue.code !== "unrecognized_keys") return `"${issue.path.join(".")}": ${issue.message}`;
    return `unknown parameter ${issue.keys.map((key) => `"${key.slice(0, 64)}"`).join(", ")}`;
  });
  throw new HttpProblem(400, `${wrong.join("; ")}.`);
}

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
