/** Runs scripts/unpack.mjs, as somebody does who has nothing else. */
import { spawnSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { makeFolder } from "../harness/tree.ts";

const SCRIPT = path.join(import.meta.dirname, "../../scripts/unpack.mjs");

/** With little memory, so that what takes a lot of it fails. */
export function unpack(...args: string[]) {
  const node = ["--max-old-space-size=128", SCRIPT, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, node, { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** A folder for the tests of a file, and how blobs are saved in it as files, as azcopy and the like leave them. */
export function startUnpacking() {
  let folder = "";
  beforeAll(async () => void (folder = await makeFolder("unpack")));
  afterAll(async () => await rm(folder, { recursive: true }));
  const save = async (name: string, blobs: Iterable<readonly [string, Buffer]>): Promise<string> => {
    for (const [blob, content] of blobs) {
      const at = path.join(folder, name, blob);
      await mkdir(path.dirname(at), { recursive: true });
      await writeFile(at, content);
    }
    return path.join(folder, name);
  };
  return { folder: () => folder, save };
}
