import { hash } from "node:crypto";
import { md5 } from "./md5.ts";
import type { Packed } from "./packed.ts";

/** What a run recorded of a content: the layout `files` its MD5, in base64, the layout `packs` where it is. */
export interface Recorded {
  md5?: string | undefined;
  packed?: Packed | undefined;
}

/** That part of a line. */
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
