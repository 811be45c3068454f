import { createHash } from "node:crypto";

/** The MD5 of some bytes: the hash that Blob Storage checks and stores. It guards against damage, not malice. */
export function md5(bytes: Uint8Array): Buffer {
  return createHash("md5").update(bytes).digest();
}
