/**
 * Keeps web pages out. The host listens only on the loopback, but a page in a browser on this machine can reach that:
 * through a DNS name that resolves to 127.0.0.1 (the Host header shows it), or by a form, image or fetch from another
 * origin (the Origin and Sec-Fetch headers show it). Another server on this machine is another origin, too. Only the
 * host's own pages may ask, and programs, which send neither header. No CORS header is ever sent, so no page can read
 * an answer.
 */
import type { IncomingMessage } from "node:http";

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;

/** Why the request is refused; undefined if it is not. */
export function refusal(request: IncomingMessage): string | undefined {
  const { host, origin } = request.headers;
  // Also an impossible port, because the address is used later.
  if (host === undefined || !LOOPBACK.test(host) || !URL.canParse(`http://${host}`)) {
    return `The local host answers only to localhost and 127.0.0.1, not to "${host ?? ""}".`;
  }
  if (origin !== undefined && !isOwnOrigin(origin, host)) {
    return `The local host does not accept ${request.method} requests from the web page at "${origin}".`;
  }
  if (isEmbedded(request)) return "The local host does not accept requests from web pages of other origins.";
  return undefined;
}

/** The host itself, by any of its names: a browser truthfully says which port it asks. */
function isOwnOrigin(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: asking, port } = new URL(origin);
  return protocol === "http:" && LOOPBACK.test(asking) && port === new URL(`http://${host}`).port;
}

/**
 * Whether a page of another origin asks: for a script, an image, a frame, a form. Following a link to here is
 * allowed.
 */
function isEmbedded({ headers, method }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  // Ports of one machine are one site.
  if (site !== "cross-site" && site !== "same-site") return false;
  return (
    method !== "GET" || headers["sec-fetch-mode"] !== "navigate" || headers["sec-fetch-dest"] !== "document"
  );
}
