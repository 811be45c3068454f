/** Reads a destination of layout `packs` as docs/format.md has it, without the app. */
import { zstdDecompressSync } from "node:zlib";
import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { expect } from "vitest";
import type { Packed } from "../../src/model/packed.ts";
import { readLedger } from "../harness/blobs.ts";

/** A frame: its codec, three bytes, the length of the content, and that, encoded. */
export function decode(frame: Buffer): Buffer {
  const content = frame[0] === 1 ? zstdDecompressSync(frame.subarray(8)) : frame.subarray(8);
  expect(content.length).toBe(frame.readUInt32LE(4));
  return content;
}

/** The chunks of a larger file: 36 bytes each in the content that stands for it. */
export async function chunksOf(container: ContainerClient, { packed }: { packed?: Packed }) {
  const { pack, offset, length, from, size, recipe } = packed!;
  expect(recipe).toBe(true);
  const frame = await container.getBlobClient(`packs/${pack}`).downloadToBuffer(offset, length);
  const list = decode(frame).subarray(from, from + size);
  return Array.from({ length: list.length / 36 }, (_none, at) => {
    const id = list.toString("hex", at * 36, at * 36 + 32);
    return { id, name: `chunks/${id.slice(0, 2)}/${id}`, length: list.readUInt32LE(at * 36 + 32) };
  });
}

/** The blobs that a run's record names: all that is needed to restore it, and the destination's format. */
export async function blobsNamedBy(
  service: BlobServiceClient,
  run: string,
  container: string,
): Promise<string[]> {
  const names = new Set(["format.json"]);
  const at = service.getContainerClient(container);
  for (const { packed } of (await readLedger(service, run)).outcomes) {
    if (!packed) continue;
    names.add(`packs/${packed.pack}`);
    if (packed.recipe) for (const { name } of await chunksOf(at, { packed })) names.add(name);
  }
  return [...names].sort();
}
