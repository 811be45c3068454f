/**
 * Keeps web pages out. The host answers on the loopback only, but a page in a browser on this machine can reach
 * that too, by a DNS name that leads to 127.0.0.1 (the Host header shows it) or by a cross-site form or
 * fetch (the Origin header shows it).
 */
import type { IncomingMessage } from "node:http";

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Why the request is refused, or undefined when it may go on. */
export function refusal(request: IncomingMessage): string | undefined {
  const host = request.headers.host;
  if (host === undefined || !LOOPBACK.test(host)) {
    return `The local host answers to localhost and 127.0.0.1 only, not to "${host ?? ""}".`;
  }
  const origin = request.headers.origin;
  if (origin !== undefined && !SAFE_METHODS.has(request.method ?? "") && !isLoopbackOrigin(origin)) {
    return `The local host takes no ${request.method} requests from the web page at "${origin}".`;
  }
  return undefined;
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && LOOPBACK.test(new URL(origin).host);
}
