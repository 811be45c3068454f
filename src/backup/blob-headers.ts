import type { BlobHTTPHeaders } from "@azure/storage-blob";
import mime from "mime";
import type { EntryKind } from "./entry.ts";

/** Metadata of a blob: where it comes from and what its file was like. azcopy's marks for links and directories. */
export function blobMetadata(
  runId: string,
  entry: { kind: EntryKind; mtime: number; mode: number },
): Record<string, string> {
  return {
    mtime: formatMtime(entry.mtime),
    mode: entry.mode.toString(8).padStart(4, "0"),
    run: runId,
    ...(entry.kind === "link" ? { is_symlink: "true" } : {}),
    ...(entry.kind === "directory" ? { hdi_isfolder: "true" } : {}),
  };
}

/** What readers of the blob are told, and the content's MD5. */
export function blobHeaders(path: string, md5: Uint8Array): BlobHTTPHeaders {
  return { blobContentMD5: md5, blobContentType: contentType(path) };
}

/** The Content-Type by extension. */
export function contentType(path: string): string {
  return mime.getType(path) ?? "application/octet-stream";
}

/**
 * A time in microseconds since 1970 as RFC 3339 with six digits, as rclone reads `mtime`: 2026-11-23T14:29:11.725398Z.
 * A year that RFC 3339 does not have is as in JavaScript's dates: +012026-….
 */
export function formatMtime(microseconds: number): string {
  // Exact: of a number this large a division is not.
  const exact = BigInt(microseconds);
  const rest = ((exact % 1000n) + 1000n) % 1000n;
  const milliseconds = Number((exact - rest) / 1000n);
  return new Date(milliseconds).toISOString().replace("Z", `${String(rest).padStart(3, "0")}Z`);
}

/** What a blob's metadata says of its file; undefined where it says nothing that can be read. */
export function fileFromMetadata(
  metadata: Record<string, string> | undefined,
): { mtime: number; mode: number } | undefined {
  const mtime = parseMtime(metadata?.["mtime"] ?? "");
  const mode = Number.parseInt(metadata?.["mode"] ?? "", 8);
  return mtime === undefined || Number.isNaN(mode) ? undefined : { mtime, mode };
}

/** What `formatMtime` wrote. */
function parseMtime(text: string): number | undefined {
  const [, toMilliseconds, rest] = /^(.*\.\d{3})(\d{3})Z$/.exec(text) ?? [];
  const milliseconds = Date.parse(`${toMilliseconds}Z`);
  return Number.isNaN(milliseconds) ? undefined : Number(BigInt(milliseconds) * 1000n + BigInt(rest ?? 0));
}
