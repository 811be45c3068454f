import { createHash } from "node:crypto";

const MIB = 1024 * 1024;

/**
 * How files are cut, in bytes. A chunk has from `min` to `max` bytes, most near `average`; it also ends at each multiple of `span` in
 * the file, so that parts of a huge file can be cut independently. So the last one of a span or file may be shorter.
 */
export const CHUNKER = {
  name: "fastcdc",
  min: MIB,
  average: 4 * MIB,
  max: 16 * MIB,
  span: 1024 * MIB,
} as const;

const { min, average, max } = CHUNKER;

/** For each byte, the first four bytes of the SHA-256 of "site-backup gear " and its number in decimal, as a little-endian integer. */
const GEAR = Int32Array.from({ length: 256 }, (_none, byte) =>
  createHash("sha256").update(`site-backup gear ${byte}`).digest().readInt32LE(),
);

/**
 * Finds the end of one chunk by FastCDC, normalised at level 2: a file is cut by its content, so that a change to it moves only the
 * cuts near the change. Where the cuts are is a part of the format.
 *
 * Each chunk is cut independently of what precedes it. Its first `min` bytes are skipped. A hash of 32 bits, 0 at first, takes each
 * byte after them: it is shifted left by one bit, then the byte's GEAR is added, modulo 2^32. The chunk ends with the byte that makes
 * the upper bits of the hash 0: the upper 24 if the chunk then has at most `average` bytes, the upper 20 if it has more. If none
 * does, it ends after `max` bytes. It also ends at a multiple of `span` in the file, and at the file's end; the caller handles those.
 */
export class ChunkEnd {
  #hash = 0;
  #at: number = min;

  /**
   * @param bytes the chunk from its beginning, as far as it has been read: what the call before was given, and more
   * @returns the chunk's length; undefined if it does not end here
   */
  find(bytes: Uint8Array): number | undefined {
    const end = Math.min(bytes.length, max);
    const strictEnd = Math.min(end, average);
    let hash = this.#hash;
    let at = this.#at;
    // Two loops: with the mask in a variable, V8 reaches a sixth of the speed.
    while (at < strictEnd) {
      hash = ((hash << 1) + GEAR[bytes[at++]!]!) | 0;
      if ((hash & 0xffffff00) === 0) return at;
    }
    while (at < end) {
      hash = ((hash << 1) + GEAR[bytes[at++]!]!) | 0;
      if ((hash & 0xfffff000) === 0) return at;
    }
    this.#hash = hash;
    this.#at = at;
    return end === max ? max : undefined;
  }
}
