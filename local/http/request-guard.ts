/**
 * Keeps web pages out. The host answers on the loopback only, but a page in a browser on this machine can reach
 * that too, by a DNS name that leads to 127.0.0.1 (the Host header shows it) or by a form, image or fetch of another
 * origin (the Origin and Sec-Fetch headers show it). What another server on this machine serves is another origin, too:
 * only the host's own pages may ask, and programs, which send neither header. No CORS header is ever sent, so that no
 * page reads an answer.
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
  if (origin !== undefined && !isOwnOrigin(origin, host)) {
    return `The local host takes no ${request.method} requests from the web page at "${origin}".`;
  }
  if (isEmbedded(request)) return "The local host takes no requests that a web page of another origin makes.";
  return undefined;
}

/** The host itself, by whichever of its names: a browser says truly which port it asks. */
function isOwnOrigin(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: asking, port } = new URL(origin);
  return protocol === "http:" && LOOPBACK.test(asking) && port === new URL(`http://${host}`).port;
}

/** Whether a page of another origin asks: for a script, an image, a frame, a form. Following a link to here is fine. */
function isEmbedded({ headers, method }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  // Ports of one machine are of one site.
  if (site !== "cross-site" && site !== "same-site") return false;
  return (
    method !== "GET" || headers["sec-fetch-mode"] !== "navigate" || headers["sec-fetch-dest"] !== "document"
  );
}
