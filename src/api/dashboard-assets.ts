import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import { readdirpPromise } from "readdirp";

/** A file of the dashboard, in memory. */
interface Asset {
  type: string;
  body: Buffer;
  gzipped: Buffer;
}

interface Assets {
  page: Asset;
  /** What the page loads, by path below `/dashboard/`. Each path contains the version of the whole set. */
  files: ReadonlyMap<string, Asset>;
}

/** What is served, by extension; nothing else in the folder is. */
const TYPES: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const PAGE = "dashboard/page.html";

/** `dist/dashboard`, where the build puts the browser's side; this file is in `dist/src/api`. */
const FOLDER = path.resolve(import.meta.dirname, "../../dashboard");

let assets: Promise<Assets> | undefined;

/** All files of the dashboard, read once. A request picks one by name, and never becomes a path of the file system. */
export function dashboardAssets(): Promise<Assets> {
  return (assets ??= readAssets(FOLDER));
}

async function readAssets(folder: string): Promise<Assets> {
  const found = await readdirpPromise(folder, {
    fileFilter: ({ basename }) => path.extname(basename) in TYPES,
  });
  const names = found.map((file) => file.path.replaceAll("\\", "/")).sort();
  const contents = await Promise.all(names.map((name) => readFile(path.join(folder, name))));
  const page = await readFile(path.join(folder, PAGE), "utf8");
  const version = versionOf([page, ...names, ...contents]);
  const files = names.map((name, index): [string, Asset] => [
    `${version}/${name}`,
    asset(TYPES[path.extname(name)] ?? "", contents[index] ?? Buffer.alloc(0)),
  ]);
  const markup = page
    .replaceAll("{files}", `dashboard/${version}/dashboard`)
    .replace("<!-- modules -->", preloads(version, names));
  return { page: asset("text/html; charset=utf-8", Buffer.from(markup)), files: new Map(files) };
}

/** Changes with any file, so that a browser may cache each forever and never mixes two deployments. */
function versionOf(parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 12);
}

/** Without these, a browser finds each module only after the one that imports it. */
function preloads(version: string, names: readonly string[]): string {
  return names
    .filter((name) => name.endsWith(".js"))
    .map((name) => `<link rel="modulepreload" href="dashboard/${version}/${name}" />`)
    .join("\n    ");
}

function asset(type: string, body: Buffer): Asset {
  return { type, body, gzipped: gzipSync(body) };
}

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
