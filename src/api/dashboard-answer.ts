import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import type { Asset } from "./dashboard-assets.ts";

/**
 * What the page may do in a browser: run the app's own scripts, load its own styles and call the app; nothing else.
 * No inline script, no eval, no HTML from strings (trusted types), no framing, nowhere to send data.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const HEADERS = {
  "Content-Security-Policy": POLICY,
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
};

/** Answers with a file of the dashboard. @param cacheControl how long a browser may keep it */
export function answerWith(asset: Asset, request: HttpRequest, cacheControl: string): HttpResponseInit {
  const zipped = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
  return {
    headers: {
      ...HEADERS,
      "Content-Type": asset.type,
      "Cache-Control": cacheControl,
      Vary: "Accept-Encoding",
      ...(zipped ? { "Content-Encoding": "gzip" } : {}),
    },
    body: zipped ? asset.gzipped : asset.body,
  };
}
