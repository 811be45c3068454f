import { randomBytes } from "node:crypto";
import { NotWritten } from "../store/files/not-written.ts";

/** Bytes of a block id where nothing else is asked for: as earlier releases had them. */
const LENGTH = 22;
/** Bytes at the end of an id that number the block: a blob has at most 50,000. */
const NUMBER = 3;

const TOO_SHORT =
  "another program left uncommitted blocks in its blob, with ids too short for a file of this size; they go after a week";

/**
 * A mark for the block ids of one attempt at a file: random, so that no two attempts mix their blocks. Ids of at most
 * three bytes leave no room for that; then two attempts at the same time send the same blocks under the same ids.
 * @param length of the ids, in bytes
 */
export function newMark(length = LENGTH): string {
  return randomBytes(length).toString("base64");
}

/**
 * The id of a block. All ids of a blob's uncommitted blocks must be of one length: see `markBeside`.
 * @throws NotWritten where the ids are too short to number so many blocks
 */
export function blockId(mark: string, index: number): string {
  const id = Buffer.from(mark, "base64");
  const length = Math.min(NUMBER, id.length);
  if (index >= 256 ** length) throw new NotWritten(TOO_SHORT);
  id.writeUIntBE(index, id.length - length, length);
  return id.toString("base64");
}
