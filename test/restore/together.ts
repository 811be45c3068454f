/** Restores in a process of its own, with another program in the place of `sync`. */
import { spawn } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { text } from "node:stream/consumers";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";
import { newRun } from "../harness/domain.ts";
import type { Tally } from "../../src/model/outcome.ts";
import { startDrive } from "../harness/drive.ts";
import { makeFolder, makeTree, manyFiles } from "../harness/tree.ts";
import { snapshotOf, temporary } from "./tree.ts";

const CHILD = fileURLToPath(new URL("restore-child.ts", import.meta.url));
export const FILES = 60;
const TREE = Object.fromEntries(
  Object.entries(manyFiles(FILES, 20)).map(([name, content]) => [`all/${name}`, content]),
);
/** Bytes of all files. */
export const SIZE = Object.values(TREE).reduce(
  (sum, content) => sum + (typeof content === "string" ? content.length : 0),
  0,
);

type Ended = Tally & { flushes: number };

/** Backs up a tree for all tests of a file. */
export function startTogether() {
  const { azurite, drive } = startDrive();
  let root: string;
  let run: string;
  const backup = { wanted: new Map<string, string>(), restore };

  beforeAll(async () => {
    root = await makeTree(await makeFolder("together"), TREE);
    ({ run } = await drive.backup({ root }));
    backup.wanted = await snapshotOf(root);
  });
  afterAll(() => rm(root, { recursive: true }));

  /**
   * The script has in $2 what is open in the directory; only the first flush, by which a process finds out whether it
   * can flush at all, always works.
   * @param meanwhile is given the process
   * @returns undefined if the process was killed
   */
  async function restore(
    script: string,
    to: string,
    id = newRun(),
    overwrite = "changed",
    meanwhile: (pid: number) => Promise<void> = async () => {},
  ): Promise<Ended | undefined> {
    const bin = temporary();
    const sync = path.join(bin, "sync");
    writeFileSync(sync, `#!/bin/sh\n[ "$(readlink "$2")" = /proc ] && exit 0\ncd "$2"\n${script}\n`);
    chmodSync(sync, 0o755);
    const child = spawn(process.execPath, [CHILD, azurite.connectionString, id, run, to, overwrite], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` },
    });
    const [output] = await Promise.all([text(child.stdout), meanwhile(child.pid ?? 0)]);
    const ended = output.split("\n")[1];
    return ended ? (JSON.parse(ended) as Ended) : undefined;
  }

  return backup;
}
