/**
 * Keeps web pages out. The host answers on the loopback only, but a page in a browser on this machine can reach
 * that too, by a DNS name that leads to 127.0.0.1 (the Host header shows it) or by a cross-site form, image or
 * fetch (the Origin and Sec-Fetch headers show it). No CORS header is ever sent, so that no page reads an answer.
 */
import type { IncomingMessage } from "node:http";

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/** Why the request is refused, or undefined when it may go on. */
export function refusal(request: IncomingMessage): string | undefined {
  const { host, origin } = request.headers;
  // A port that none can be, too: the address is used further on.
  if (host === undefined || !LOOPBACK.test(host) || !URL.canParse(`http://${host}`)) {
    return `The local host answers to localhost and 127.0.0.1 only, not to "${host ?? ""}".`;
  }
  if (origin !== undefined && !isLoopbackOrigin(origin)) {
    return `The local host takes no ${request.method} requests from the web page at "${origin}".`;
  }
  if (isEmbedded(request)) return "The local host takes no requests that a web page of another site makes.";
  return undefined;
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && LOOPBACK.test(new URL(origin).host);
}

/** Whether a page of another site asks: for a script, an image, a frame, a form. Following a link to here is fine. */
function isEmbedded({ headers, method }: IncomingMessage): boolean {
  if (headers["sec-fetch-site"] !== "cross-site") return false;
  return (
    method !== "GET" || headers["sec-fetch-mode"] !== "navigate" || headers["sec-fetch-dest"] !== "document"
  );
}
