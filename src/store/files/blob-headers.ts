import type { BlobHTTPHeaders } from "@azure/storage-blob";
import { contentType } from "../../model/content.ts";
import { formatMtime, parseMtime, type Attributes, type Entry, type EntryKind } from "../../model/entry.ts";
import { pathMark } from "../../model/path.ts";
import { normalRoot } from "../../model/root-path.ts";

/** The metadata of the product's blobs. A blob without `run`, `mtime` and `mode` is not one of them. */
export interface Marks {
  /** The run that wrote it. */
  run: string;
  /** The path and the root, as hashes; absent in blobs of earlier releases. */
  path: string | undefined;
  root: string | undefined;
  /** Microseconds since 1970. */
  mtime: number;
  ctime: number | undefined;
  mode: number;
}

/** The metadata of an entry's blob. Links and directories are marked as azcopy marks them. */
export function blobMetadata(
  { path, kind }: Pick<Entry, "path" | "kind">,
  { mtime, ctime, mode }: Attributes,
  { runId, root }: { runId: string; root: string },
): Record<string, string> {
  return {
    mtime: formatMtime(mtime),
    ctime: formatMtime(ctime),
    mode: mode.toString(8).padStart(4, "0"),
    run: runId,
    path: pathMark(path),
    root: rootMark(root),
    ...(kind === "link" ? { is_symlink: "true" } : {}),
    ...(kind === "directory" ? { hdi_isfolder: "true" } : {}),
  };
}

/** The marks in a blob's metadata; undefined if the product did not write it. */
export function readMarks(metadata: Record<string, string> = {}): Marks | undefined {
  const { run, path, root } = metadata;
  const mtime = parseMtime(metadata["mtime"]);
  const mode = Number.parseInt(metadata["mode"] ?? "", 8);
  if (run === undefined || mtime === undefined || Number.isNaN(mode)) return undefined;
  return { run, path, root, mtime, ctime: parseMtime(metadata["ctime"]), mode };
}

/** The kind of entry that a blob holds, also if azcopy wrote it. */
export function kindOf(metadata: Record<string, string>): EntryKind {
  if (metadata["is_symlink"] === "true") return "link";
  return metadata["hdi_isfolder"] === "true" ? "directory" : "file";
}

/** A root's hash for metadata: the same for each spelling of the path. */
export function rootMark(root: string): string {
  return pathMark(normalRoot(root));
}

/** The blob's Content-Type and MD5. */
export function blobHeaders(path: string, md5: Uint8Array): BlobHTTPHeaders {
  return { blobContentMD5: md5, blobContentType: contentType(path) };
}
