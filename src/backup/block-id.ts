import { randomBytes } from "node:crypto";

/** A mark that begins every block id of one attempt at a file; random, so that no two attempts mix their blocks. */
export function newMark(): string {
  return randomBytes(12).toString("base64url");
}

/**
 * The id of a block. All are of one length, also across the app's ways of sending a file: the service refuses a block
 * whose id is longer or shorter than those of blocks that an earlier attempt left uncommitted.
 */
export function blockId(mark: string, index: number): string {
  return Buffer.from(`${mark}${String(index).padStart(6, "0")}`).toString("base64");
}
