import { createHash, hash } from "node:crypto";
import mime from "mime";
import type { Packed } from "./packed.ts";

/** What a run recorded of a content: the layout `files` its MD5, in base64, the layout `packs` where it is. */
export interface Recorded {
  md5?: string | undefined;
  packed?: Packed | undefined;
}

/** Where an item's content is: the blob itself under an ETag, or one of its snapshots or versions. */
export interface Source {
  /** Bytes; for a link, of its target, though its size in the tree is 0. */
  length: number;
  etag?: string;
  snapshot?: string;
  versionId?: string;
  /**
   * Another program set the blob's headers and thereby removed its MD5: only reading it shows whether it is the
   * content.
   */
  unhashed?: true;
}

/** The fields of `Recorded` that a line has. */
export function recordedOf({ md5: base64, packed }: Recorded): Pick<Recorded, "md5" | "packed"> {
  return { ...(base64 === undefined ? {} : { md5: base64 }), ...(packed === undefined ? {} : { packed }) };
}

/** The hash that identifies a content, in base64; for a large file in packs, that of its recipe. */
export function hashOf({ md5: base64, packed }: Recorded): string | undefined {
  return packed?.sha256 ?? base64;
}

/** The hash of the content itself, if known: it is not for a large file in packs, where each chunk has its own. */
export function ownHash({ md5: base64, packed }: Recorded): { md5?: string; sha256?: string } {
  if (packed) return packed.recipe ? {} : { sha256: packed.sha256 };
  return base64 === undefined ? {} : { md5: base64 };
}

/** Whether bytes in memory are the content that was recorded. */
export function isContent(recorded: Recorded, bytes: Uint8Array): boolean {
  const { packed, md5: base64 } = recorded;
  if (packed) return hash("sha256", bytes, "base64") === packed.sha256;
  return md5(bytes).toString("base64") === base64;
}

/** The MD5 of some bytes: the hash that Blob Storage checks and stores. It guards against damage, not malice. */
export function md5(bytes: Uint8Array): Buffer {
  return createHash("md5").update(bytes).digest();
}

/** The media type of a file, by the extension of its name. */
export function contentType(path: string): string {
  return mime.getType(path) ?? "application/octet-stream";
}
