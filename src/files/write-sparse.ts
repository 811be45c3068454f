import type { FileHandle } from "node:fs/promises";

/** The shortest run of zeros that is worth a hole, in bytes. */
const HOLE = 64 * 1024;
const ZEROS = Buffer.alloc(HOLE);

/**
 * Writes content at a position of a new file, leaving out long runs of zeros as holes, which take no disk space. The
 * last byte is always written, so that the file gets its length.
 */
export async function writeSparse(handle: FileHandle, content: Buffer, position: number): Promise<void> {
  const last = content.length - HOLE;
  const isHole = (at: number): boolean => at < last && ZEROS.equals(content.subarray(at, at + HOLE));
  for (let at = 0; at < content.length; at += HOLE) {
    if (isHole(at)) continue;
    const from = at;
    while (at + HOLE < content.length && !isHole(at + HOLE)) at += HOLE;
    await writeAll(handle, content.subarray(from, at + HOLE), position + from);
  }
}

async function writeAll(handle: FileHandle, content: Buffer, position: number): Promise<void> {
  for (let written = 0; written < content.length;) {
    const { bytesWritten } = await handle.write(
      content,
      written,
      content.length - written,
      position + written,
    );
    written += bytesWritten;
  }
}
