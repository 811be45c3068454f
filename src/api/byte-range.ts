import type { HttpRequest } from "@azure/functions";
import type { Part } from "../store/fetching.ts";
import { HttpProblem } from "./problem.ts";

/**
 * The part of a content that a request asks for (RFC 9110, section 14); undefined for all of it, also where the request names several
 * parts, or a part of another content than the ETag's.
 * @throws HttpProblem 416 if the content has no such part
 */
export function partAsked({ headers }: HttpRequest, etag: string, length: number): Part | undefined {
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
    `It has ${length} bytes, and none of those asked for.`,
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
