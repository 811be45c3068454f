import type { IncomingMessage } from "node:http";
import { RestError } from "@azure/storage-blob";

/** How much of an answer is read; the service's errors are a few hundred bytes. */
const LONGEST_ANSWER = 64 * 1024;

/**
 * The error that the SDK would throw for an unsuccessful answer. Reads the answer to its end.
 * @param request what was refused, as in the SDK's errors; its address has no signature
 */
export async function refusal(
  response: IncomingMessage,
  request: { method: string; url: string },
): Promise<RestError> {
  let body = "";
  response.setEncoding("utf8");
  for await (const chunk of response) if (body.length < LONGEST_ANSWER) body += String(chunk);
  const tag = (name: string): string | undefined => new RegExp(`<${name}>([^<]*)`).exec(body)?.[1];
  const code = response.headers["x-ms-error-code"] ?? tag("Code");
  return new RestError(tag("Message") ?? response.statusMessage ?? "", {
    request: request as NonNullable<RestError["request"]>,
    statusCode: response.statusCode ?? 0,
    ...(code === undefined ? {} : { code: String(code) }),
  });
}

/** What a request to storage does, and the SAS permission it needs. */
interface Needed {
  to: string;
  permission: string;
}

/** What a refused request would have needed. */
export function lackingPermission(request: { method: string; url: string } | undefined): Needed {
  if (!request) return { to: "write a blob", permission: '"write" (w)' };
  const { pathname, searchParams } = new URL(request.url);
  const [what, isContainer] = [searchParams.get("comp"), searchParams.get("restype") === "container"];
  // In the emulator's addresses the account comes first.
  const path = pathname.split("/").filter((segment) => segment !== "");
  const container = `the container "${decodeURIComponent((isContainer ? path.at(-1) : path.at(-2)) ?? "")}"`;
  if (what === "list") return { to: `list ${container}`, permission: '"list" (l)' };
  if (isContainer) return { to: `make or look at ${container}`, permission: '"create" (c) for containers' };
  switch (request.method) {
    case "GET":
    case "HEAD":
      return { to: "read a blob", permission: '"read" (r)' };
    case "DELETE":
      return { to: "delete a blob", permission: '"delete" (d)' };
    default:
      return { to: "write a blob", permission: '"write" (w)' };
  }
}
