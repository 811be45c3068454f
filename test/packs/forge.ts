/** Writes blobs of layout `packs` as docs/format.md has them, apart from the app, and wrong where a test wants them so. */
import { createHash } from "node:crypto";
import { zstdCompressSync } from "node:zlib";

/** A content, and the line of the footer about it. What is given replaces what would be right. */
export interface ForgedContent {
  path: string;
  content: Buffer | string;
  /** The frame, where it is not the one of the content. */
  frame?: Buffer;
  /** Fields of the line in the footer. */
  line?: Record<string, unknown>;
}

/** @param size what the frame says of the content's length */
export function frameOf(
  content: Buffer,
  { codec = 0, size = content.length, encoded = content } = {},
): Buffer {
  const head = Buffer.alloc(8);
  head[0] = codec;
  head.writeUInt32LE(size, 4);
  return Buffer.concat([head, encoded]);
}

/** A frame that decodes to zeros. @param size what it says that it decodes to */
export function bombOf(zeros: number, size: number): Buffer {
  return frameOf(Buffer.alloc(0), { codec: 1, size, encoded: zstdCompressSync(Buffer.alloc(zeros)) });
}

export function chunkOf(content: Buffer, frame = frameOf(content)): { name: string; blob: Buffer } {
  const id = sha256(content).toString("hex");
  return {
    name: `chunks/${id.slice(0, 2)}/${id}`,
    blob: Buffer.concat([Buffer.from("SBKP\u0001C\0\0"), frame]),
  };
}

export function recipeOf(chunks: readonly Buffer[]): Buffer {
  return Buffer.concat(
    chunks.flatMap((chunk) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(chunk.length);
      return [sha256(chunk), length];
    }),
  );
}

/** Where the contents of a pack are, as a run's record says it, too. */
export interface ForgedPack {
  blob: Buffer;
  lines: Record<string, unknown>[];
}

/** @param footer its frame, where it is not that of the lines */
export function packOf(
  contents: readonly ForgedContent[],
  {
    root = "/srv/site",
    time = "2026-01-01T00:00:00.000Z",
    head = Buffer.from("SBKP\u0001P\0\0"),
    footer = undefined as Buffer | undefined,
    tamper = (blob: Buffer): Buffer => blob,
  } = {},
): ForgedPack {
  const parts: Buffer[] = [head];
  let offset = head.length;
  const lines = contents.map(({ path, content, line, frame = frameOf(Buffer.from(content)) }) => {
    const bytes = Buffer.from(content);
    const sum = sha256(bytes).toString("base64");
    const at = { offset, length: frame.length, raw: bytes.length, from: 0 };
    parts.push(frame);
    offset += frame.length;
    return {
      path,
      kind: "file",
      mtime: 1_700_000_000_123_456,
      mode: 0o644,
      ...at,
      size: bytes.length,
      sha256: sum,
      ...line,
    };
  });
  const text = [{ run: "forged", root, time }, ...lines].map((line) => `${JSON.stringify(line)}\n`).join("");
  const last = footer ?? frameOf(Buffer.from(text));
  const trailer = Buffer.alloc(16);
  trailer.writeBigUInt64LE(BigInt(offset));
  trailer.writeUInt32LE(last.length, 8);
  return { blob: tamper(Buffer.concat([...parts, last, trailer, sha256(last)])), lines };
}

function sha256(content: Buffer): Buffer {
  return createHash("sha256").update(content).digest();
}
