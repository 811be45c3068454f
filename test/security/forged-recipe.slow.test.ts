/** A list of chunks as long as the format allows, which somebody forged in a pack of a few KiB: read without taking much more memory. */
import { zstdCompressSync } from "node:zlib";
import { expect, it } from "vitest";
import { startDrive } from "../harness/drive.ts";
import { chunkOf, frameOf, packOf } from "../packs/forge.ts";
import { forgeRun } from "../restore/forge.ts";
import { temporary } from "../restore/tree.ts";

const MIB = 1024 * 1024;
const PACK = "forged/0-0-0123abcd-0";
const { azurite, drive } = startDrive();

it("a file of 1.8 million equal chunks fails by name, and takes no memory for each of them", async () => {
  const length = Math.floor((64 * MIB) / 36) * 36;
  const chunk = chunkOf(Buffer.from("not the chunk"));
  const line = Buffer.alloc(36);
  line.writeUInt32LE(MIB, 32);
  line.write(chunk.name.split("/").at(-1)!, "hex");
  const content = Buffer.alloc(length, line);
  const frame = frameOf(content, { codec: 1, encoded: zstdCompressSync(content) });
  const { blob, lines } = packOf([{ path: "vast", content, frame, line: { recipe: true } }]);
  const { path, kind, mtime, mode, ...place } = lines[0]!;
  const size = (length / 36) * MIB;
  const packed = { pack: PACK, packLength: blob.length, ...place };
  const item = { path, kind, mtime, mode, size, outcome: "copied", packed };
  const run = await forgeRun(azurite.service, [`${JSON.stringify(item)}\n`], { layout: "packs" });
  const container = azurite.service.getContainerClient("forged");
  // Its size is possible, its content is another one.
  for (const [name, bytes] of [
    [`packs/${PACK}`, blob],
    [chunk.name, Buffer.alloc(1000)],
  ] as const)
    await container.getBlockBlobClient(`${run}/${name}`).upload(bytes, bytes.length);

  const before = process.memoryUsage().heapUsed;
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().heapUsed)), 1);
  const restored = await drive.restore({ run, to: temporary() });
  const verified = await drive.verify({ run, readData: true });
  clearInterval(watch);
  for (const { tally } of [restored, verified])
    expect(tally.failures).toEqual([expect.stringMatching(/^vast: corrupt: its chunk, /)]);
  expect((most - before) / MIB).toBeLessThan(100);
});
