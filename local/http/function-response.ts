/** Writes an HTTP function's answer to the socket. */
import type { ServerResponse } from "node:http";
import type { RpcCookie, RpcHttp, TypedData } from "../worker/messages.ts";

const SAME_SITE: Record<string, string> = { lax: "Lax", strict: "Strict", explicitNone: "None" };

export function writeFunctionResponse(response: ServerResponse, answer: RpcHttp | undefined): void {
  if (!answer) {
    // A function that returns nothing.
    response.writeHead(204).end();
    return;
  }
  response.statusCode = Number(answer.statusCode ?? 200);
  for (const [name, value] of Object.entries(answer.headers ?? {}))
    response.setHeader(properName(name), value);
  const cookies = (answer.cookies ?? []).map(cookieText);
  if (cookies.length > 0) response.setHeader("Set-Cookie", cookies);
  const body = bodyBytes(answer.body);
  if (response.req.method === "HEAD" || body.length === 0) response.end();
  else {
    // Without a length: the real host sends these answers in chunks.
    response.write(body);
    response.end();
  }
}

function bodyBytes(body: TypedData | null | undefined): Buffer {
  if (body?.bytes !== undefined) return Buffer.from(body.bytes);
  return Buffer.from(body?.string ?? body?.json ?? "");
}

/** The names that the app set arrive in lower case (the Fetch API's); they are written in the usual way. */
function properName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

export function cookieText(cookie: RpcCookie): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  if (cookie.maxAge) parts.push(`Max-Age=${cookie.maxAge.value}`);
  if (cookie.expires) parts.push(`Expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`);
  if (cookie.domain) parts.push(`Domain=${cookie.domain.value}`);
  if (cookie.path) parts.push(`Path=${cookie.path.value}`);
  if (cookie.secure?.value) parts.push("Secure");
  if (cookie.httpOnly?.value) parts.push("HttpOnly");
  const sameSite = SAME_SITE[cookie.sameSite ?? ""];
  if (sameSite) parts.push(`SameSite=${sameSite}`);
  return parts.join("; ");
}
