import type { HttpRequest } from "@azure/functions";
import type { z } from "zod";
import { parsePath } from "../model/path.ts";
import { whyNotInRun } from "../model/request-fields.ts";
import type { ByteRange } from "../store/fetching.ts";
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

/** The run that a route names. */
export function runIdOf(request: HttpRequest): string {
  return request.params["runId"] ?? "";
}

/** The path of a run, and what those of its routes begin with. */
export function pathOf(id: string): string {
  return `/backups/${encodeURIComponent(id)}`;
}

/** @throws HttpProblem 404 if there is no run */
export function known<T>(run: T | undefined, id: string): T {
  if (run === undefined)
    throw new HttpProblem(404, `There is no run "${id.slice(0, 64)}". A prune may have deleted its record.`);
  return run;
}

/**
 * The path in a run that a query names, in its escaped form; "" is the root.
 * @throws HttpProblem 400 for a path that no run can have
 */
export function pathInTree(text: string): string {
  const why = text === "" ? undefined : whyNotInRun(text);
  if (why === undefined) return parsePath(text);
  throw new HttpProblem(
    400,
    `"path": ${why}. Give a path relative to the backup's root, such as "images/2026", escaped as in answers.`,
  );
}

/**
 * The range of a content that a request asks for (RFC 9110, section 14); undefined for all of it, which also answers a request
 * for several ranges, or for a range of content with another ETag.
 * @throws HttpProblem 416 if the content has no such part
 */
export function partAsked({ headers }: HttpRequest, etag: string, length: number): ByteRange | undefined {
  const only = headers.get("if-range");
  const asked = /^bytes=(\d*)-(\d*)$/i.exec(headers.get("range") ?? "");
  if (!asked || (only !== null && only !== etag)) return undefined;
  const [, first = "", last = ""] = asked;
  if (first === "" && last === "") return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const from = first === "" ? Math.max(0, length - Number(last)) : Number(first);
  const to = first === "" || last === "" ? length : Math.min(Number(last) + 1, length);
  if (from < to) return { from, to };
  throw new HttpProblem(
    416,
    `The content has ${length} bytes; the requested range lies outside them.`,
    {},
    {
      "Content-Range": `bytes */${length}`,
    },
  );
}

/** Whether the client has a content already. */
export function hasAlready({ headers }: HttpRequest, etag: string): boolean {
  const known = headers.get("if-none-match")?.split(",") ?? [];
  return known.map((each) => each.trim().replace(/^W\//, "")).some((each) => each === etag || each === "*");
}
