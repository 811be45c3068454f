import { hash } from "node:crypto";
import { promisify } from "node:util";
import zlib from "node:zlib";
import type { Packed } from "../../model/packed.ts";
import { Corrupt, Lost } from "../fetching.ts";

/** The kinds of blob in a destination of packs. */
export type BlobKind = "P" | "C";

/** Bytes before a frame's encoded content: the codec, and the length of the content. */
export const FRAME_HEAD = 8;
/** Bytes at the beginning of each blob: magic, version and kind. */
export const BLOB_HEAD = 8;

const MAGIC = "SBKP";
const VERSION = 1;
const NONE = 0;
const ZSTD = 1;
/** On incompressible bytes level 1 costs half of what hashing does, on others it saves more than it costs. */
const LEVEL = { params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } };
/** Larger contents are compressed by Node's thread pool: below, handing over costs more than the work. */
const HERE = 64 * 1024;
/** How much of a long content to sample, and in how many places. Most long contents are compressed already: images, archives. */
const SAMPLE = 32 * 1024;
const PLACES = 8;

/** The beginning of a blob of this kind. */
export function blobHead(kind: BlobKind): Buffer {
  const head = Buffer.alloc(BLOB_HEAD);
  head.write(MAGIC, "latin1");
  head[4] = VERSION;
  head.write(kind, 5, "latin1");
  return head;
}

/** @throws Lost if a blob does not begin as one of this kind does, or is of a later version */
export function assertHead(blob: Buffer, kind: BlobKind): void {
  if (blob.length < BLOB_HEAD || blob.toString("latin1", 0, 4) !== MAGIC || blob[5] !== kind.charCodeAt(0))
    throw new Corrupt(`corrupt: its blob does not begin as a ${kind === "P" ? "pack" : "chunk"} does`);
  if (blob[4] !== VERSION)
    throw new Lost(
      `its blob is of version ${blob[4]} of the format; this version of the app reads ${VERSION}`,
    );
}

/**
 * Encodes a content: compressed where that makes it shorter.
 * @returns the frame in pieces, which are not copied together; the content itself may be one of them
 */
export async function encodeFrame(content: Buffer): Promise<Buffer[]> {
  const packed = seemsCompressible(content) ? await compressed(content) : content;
  const pays = packed.length < content.length;
  const head = Buffer.alloc(FRAME_HEAD);
  head[0] = pays ? ZSTD : NONE;
  head.writeUInt32LE(content.length, 4);
  return [head, pays ? packed : content];
}

async function compressed(content: Buffer): Promise<Buffer> {
  // By default a buffer of 16 KiB is made for each.
  const options = { ...LEVEL, chunkSize: content.length + 512 };
  return content.length > HERE
    ? await promisify(zlib.zstdCompress)(content, options)
    : zlib.zstdCompressSync(content, options);
}

/** Whether samples of a long content show that compressing it pays. */
function seemsCompressible(content: Buffer): boolean {
  if (content.length < 4 * SAMPLE) return true;
  const length = SAMPLE / PLACES;
  const step = Math.floor((content.length - length) / (PLACES - 1));
  const places = Array.from({ length: PLACES }, (_, place) => place * step);
  const sample = Buffer.concat(places.map((from) => content.subarray(from, from + length)));
  return zlib.zstdCompressSync(sample, { ...LEVEL, chunkSize: 2 * SAMPLE }).length < 0.97 * SAMPLE;
}

/**
 * Decodes a frame whose content is known to have `size` bytes. Takes no more memory than that, whatever the frame says.
 * @throws Corrupt if it has another size or cannot be decoded; Lost if its codec is not known
 */
export async function decodeFrame(frame: Buffer, size: number): Promise<Buffer> {
  if (frame.length < FRAME_HEAD) throw new Corrupt("corrupt: it is cut short");
  const said = frame.readUInt32LE(4);
  if (said !== size)
    throw new Corrupt(`corrupt: it says that it has ${said} bytes, the run recorded ${size}`);
  const encoded = frame.subarray(FRAME_HEAD);
  const content = await decode(frame[0] ?? NONE, encoded, size);
  if (content.length !== size)
    throw new Corrupt(`corrupt: it has ${content.length} bytes, the run recorded ${size}`);
  return content;
}

async function decode(codec: number, encoded: Buffer, size: number): Promise<Buffer> {
  if (codec === NONE) return encoded;
  if (codec !== ZSTD)
    throw new Lost(`it is encoded with the codec ${codec}, which this version of the app does not know`);
  const most = { maxOutputLength: Math.max(1, size), chunkSize: Math.max(64, size) };
  try {
    return size > HERE
      ? await promisify(zlib.zstdDecompress)(encoded, most)
      : zlib.zstdDecompressSync(encoded, most);
  } catch (error) {
    throw new Corrupt("corrupt: it cannot be decoded", { cause: error });
  }
}

/** Whether a blob of some size can hold a chunk: what compression would make longer is not compressed. */
export function canHold(size: number, length: number): boolean {
  return size > BLOB_HEAD + FRAME_HEAD && size <= BLOB_HEAD + FRAME_HEAD + length;
}

/** The content at a location, of the decoded frame that the location names. @throws Corrupt if it is not what was recorded */
export function contentIn(frame: Buffer, { from, size, sha256 }: Packed): Buffer {
  const content = frame.subarray(from, from + size);
  const is = hash("sha256", content, "base64");
  if (is !== sha256)
    throw new Corrupt(`corrupt: its content has the SHA-256 ${is}, the run recorded ${sha256}`);
  return content;
}
