import type { HttpRequest } from "@azure/functions";
import type { Part } from "../store/fetching.ts";
import { HttpProblem } from "./problem.ts";

/**
 * The range of a content that a request asks for (RFC 9110, section 14); undefined for all of it, which also answers a request
 * for several ranges, or for a range of content with another ETag.
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
