/** A run whose record and blobs somebody forged who may write to both containers: what a reader of it must not fall for. */
import { createHash } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import { forgeRun } from "../restore/forge.ts";
import { bombOf, chunkOf, frameOf, packOf, recipeOf } from "./forge.ts";

const MIB = 1024 * 1024;
const KIB64 = Buffer.alloc(64 * 1024, "64 KiB");
const text = (content: string): Buffer => Buffer.from(content);
const sha256Of = (content: string): string => createHash("sha256").update(content).digest("base64");

interface Attack {
  /** Why it fails. */
  reason: RegExp;
  content: Buffer;
  frame?: Buffer;
  /** What the run says of where the content is, where it is not true. */
  packed?: Record<string, unknown>;
  /** What the run says of the file. */
  file?: Record<string, unknown>;
}

/** A file that consists of one chunk, and what is there under its name. */
function ofChunk(
  reason: RegExp,
  content: Buffer,
  blob: Buffer,
): Attack & { chunk: { name: string; blob: Buffer } } {
  const file = { size: content.length };
  const chunk = { name: chunkOf(content).name, blob };
  return { reason, content: recipeOf([content]), packed: { recipe: true }, file, chunk };
}

const packHead = text("SBKP\u0001P\0\0");
const laterHead = text("SBKP\u0002C\0\0");
const chunkHead = text("SBKP\u0001C\0\0");

const ATTACKS: Record<string, Attack & { chunk?: { name: string; blob: Buffer } }> = {
  "a frame that decodes to more than it says": {
    reason: /cannot be decoded/,
    content: KIB64,
    frame: bombOf(64 * MIB, 65_536),
  },
  "a frame that says more than was recorded": {
    reason: /\b9 bytes/,
    content: text("8 bytes."),
    frame: frameOf(text("8 bytes."), { size: 9 }),
  },
  "a codec of a later version": {
    reason: /codec 7\b/,
    content: text("x"),
    frame: frameOf(text("x"), { codec: 7 }),
  },
  "another content": { reason: /has the SHA-256/, content: text("x"), frame: frameOf(text("y")) },
  "a place beyond the pack": {
    reason: / bytes.*\b1000000\b/,
    content: text("x"),
    packed: { offset: 900_000, packLength: 1_000_000 },
  },
  "a place before the contents": { reason: /cannot be right/, content: text("x"), packed: { offset: 0 } },
  "more than a content may have": {
    reason: /cannot be right/,
    content: text("x"),
    packed: { raw: 2 ** 32, size: 2 ** 32 },
    file: { size: 2 ** 32 },
  },
  "a frame of more than frames have": {
    reason: /cannot be right/,
    content: text("x"),
    packed: { raw: 2 ** 32 },
  },
  "another size than the file's": { reason: /cannot be right/, content: text("xx"), packed: { size: 1 } },
  "a list of chunks that is too long": {
    reason: /cannot be right/,
    content: Buffer.alloc(36 * 9),
    packed: { recipe: true },
    file: { size: 5 },
  },
  "a list of chunks that is cut short": {
    reason: /is cut short/,
    content: Buffer.alloc(35),
    packed: { recipe: true },
    file: { size: 5 },
  },
  "a chunk of 4 GiB": {
    reason: /recipe .*\b4294967295 bytes/,
    content: Buffer.alloc(36, 0xff),
    packed: { recipe: true },
    file: { size: 2 ** 32 - 1 },
  },
  "a list of chunks that names a list": {
    ...ofChunk(/ 36 bytes.*\b5000000\b/, recipeOf([KIB64]), chunkOf(recipeOf([KIB64])).blob),
    file: { size: 5_000_000 },
  },
  "a chunk that is a pack": ofChunk(
    /not begin as a chunk/,
    text("pack"),
    Buffer.concat([packHead, frameOf(text("pack"))]),
  ),
  "a chunk of a later version": ofChunk(
    /version 2\b/,
    text("later"),
    Buffer.concat([laterHead, frameOf(text("later"))]),
  ),
  "a chunk that decodes to more than it says": ofChunk(
    /cannot be decoded/,
    KIB64.subarray(1),
    Buffer.concat([chunkHead, bombOf(64 * MIB, 65_535)]),
  ),
  "a chunk that is longer than it can be": ofChunk(
    /cannot be a chunk/,
    text("long"),
    Buffer.concat([chunkHead, frameOf(text("long"), { encoded: Buffer.alloc(MIB) })]),
  ),
  "a chunk that is another one": ofChunk(
    /not match its name/,
    text("this"),
    Buffer.concat([chunkHead, frameOf(text("that"))]),
  ),
};

/** Lines that are no record of a content: the reader of the record says so of the whole line. */
const DAMAGED: Record<string, Record<string, unknown>> = {
  "a pack elsewhere": { pack: "../../secret/packs/0-0-0123abcd-0" },
  "a frame that reaches out of the pack": { length: 1_000_000 },
  "a content that reaches out of the frame": { from: 1 },
  "half a byte": { offset: 8.5 },
};

/** What is said of contents in one frame, which holds "one" and "two". Others are said to overlap them, or to have the same place. */
const SHARED: Record<string, Record<string, unknown>> = {
  one: { from: 0, sha256: sha256Of("one") },
  two: { from: 3, sha256: sha256Of("two") },
  "a frame of another length at the same place": { raw: 7, from: 0, sha256: sha256Of("none") },
  "overlapping contents": { offset: 9, length: 13, raw: 5, from: 0, sha256: sha256Of("one") },
};

export interface ForgedRun {
  run: string;
  /** Files that are as they should be, and their contents. */
  sound: string[];
  /** Files by what is wrong with them, and why they fail. */
  forged: Map<string, RegExp>;
  /** Files of which the record says what cannot be. */
  damaged: string[];
}

export async function forgePacks(service: BlobServiceClient): Promise<ForgedRun> {
  const blobs = new Map<string, Buffer>();
  const lines: string[] = [];
  /** Puts a content into a pack of its own. @returns adds a line about it to the run's record */
  const add = (content: Buffer, frame?: Buffer) => {
    const {
      blob,
      lines: [footer],
    } = packOf([{ path: "", content, ...(frame ? { frame } : {}) }]);
    const pack = `forged/0-${blobs.size}-0123abcd-0`;
    blobs.set(`packs/${pack}`, blob);
    return (path: string, packed: object = {}, file: object = {}): void => {
      const { path: _none, kind, mtime, mode, ...place } = footer!;
      const at: Record<string, unknown> = { pack, packLength: blob.length, ...place, ...packed };
      const line = { path, outcome: "copied", kind, mtime, mode, size: at.size, packed: at, ...file };
      lines.push(`${JSON.stringify(line)}\n`);
    };
  };
  for (const [path, { content, frame, packed, file, chunk }] of Object.entries(ATTACKS)) {
    add(content, frame)(path, packed, { size: content.length, ...file });
    if (chunk) blobs.set(chunk.name, chunk.blob);
  }
  for (const [path, packed] of Object.entries(DAMAGED)) add(text("xx"))(path, packed);
  const share = add(text("onetwo"));
  for (const [path, packed] of Object.entries(SHARED)) share(path, { size: 3, ...packed });

  const run = await forgeRun(service, lines, { layout: "packs" });
  const container = service.getContainerClient("forged");
  for (const [name, blob] of blobs)
    await container.getBlockBlobClient(`${run}/${name}`).upload(blob, blob.length);
  const [one, two, ...others] = Object.keys(SHARED);
  const forged = new Map(Object.entries(ATTACKS).map(([path, { reason }]) => [path, reason]));
  for (const path of others) forged.set(path, /corrupt: /);
  return { run, sound: [one!, two!], forged, damaged: Object.keys(DAMAGED) };
}
