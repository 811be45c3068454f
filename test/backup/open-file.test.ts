/** A file that is closed while pieces of it are still being read: its descriptor's number soon stands for another file. */
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OpenFile } from "../../src/files/read-file.ts";
import { bytes, makeFolder, makeTree } from "../harness/tree.ts";

const SIZE = 1024 * 1024;
const content = bytes(SIZE, "one");

let folder: string;

beforeAll(async () => {
  folder = await makeFolder("open-file");
  await makeTree(folder, { one: content, other: bytes(SIZE, "other") });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const openFile = (name: string) => OpenFile.open(`${folder}/${name}`, folder, 60_000);

it("gives what is being read, and nothing of another file after that", async () => {
  const one = await openFile("one");
  const pieces = Array.from({ length: 16 }, () => Buffer.alloc(SIZE));
  const reading = Promise.all(pieces.map((piece) => one.read(piece, 0)));
  await one.close();
  const others = await Promise.all(Array.from({ length: 16 }, () => openFile("other")));
  const late = Buffer.alloc(SIZE);
  await expect(one.read(late, 0)).rejects.toThrow("closed");
  await expect(one.assertUnchanged()).rejects.toThrow("closed");
  await reading;
  for (const piece of pieces) expect(piece.equals(content)).toBe(true);
  expect(late.equals(Buffer.alloc(SIZE))).toBe(true);
  await Promise.all(others.map((file) => file.close()));
});
