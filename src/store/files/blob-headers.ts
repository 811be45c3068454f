import type { BlobHTTPHeaders } from "@azure/storage-blob";
import mime from "mime";
import { pathMark } from "../../model/path.ts";
import type { Attributes, Entry, EntryKind } from "../../model/entry.ts";
import { normalRoot } from "../../model/root-path.ts";
import { formatMtime, parseMtime } from "../../model/time.ts";

/** What the product's blobs say of themselves in their metadata. A blob without `run`, `mtime` and `mode` is not one. */
export interface Marks {
  /** The run that wrote it. */
  run: string;
  /** Which path of which root it is, by `pathMark`; absent in blobs of earlier releases. */
  path: string | undefined;
  root: string | undefined;
  /** Microseconds since 1970. */
  mtime: number;
  ctime: number | undefined;
  mode: number;
}

/** The metadata of the blob that a run writes for an entry. Links and directories are marked as azcopy does it. */
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

/** The marks in a blob's metadata; undefined where the product did not write it. */
export function readMarks(metadata: Record<string, string> = {}): Marks | undefined {
  const { run, path, root } = metadata;
  const mtime = parseMtime(metadata["mtime"]);
  const mode = Number.parseInt(metadata["mode"] ?? "", 8);
  if (run === undefined || mtime === undefined || Number.isNaN(mode)) return undefined;
  return { run, path, root, mtime, ctime: parseMtime(metadata["ctime"]), mode };
}

/** What a blob stands for, also one that azcopy wrote. */
export function kindOf(metadata: Record<string, string>): EntryKind {
  if (metadata["is_symlink"] === "true") return "link";
  return metadata["hdi_isfolder"] === "true" ? "directory" : "file";
}

/** Names a root in a blob's metadata: the same for each spelling of it. */
export function rootMark(root: string): string {
  return pathMark(normalRoot(root));
}

/** What readers of the blob are told, and the content's MD5. */
export function blobHeaders(path: string, md5: Uint8Array): BlobHTTPHeaders {
  return { blobContentMD5: md5, blobContentType: contentType(path) };
}

/** The Content-Type by extension. */
export function contentType(path: string): string {
  return mime.getType(path) ?? "application/octet-stream";
}
