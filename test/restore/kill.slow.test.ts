import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newRun } from "../harness/domain.ts";
import type { Tally } from "../../src/model/outcome.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { Drive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "./tree.ts";

const CHILD = fileURLToPath(new URL("restore-child.ts", import.meta.url));
/** Kills of one restore, each somewhere in what is left of it. */
const KILLS = 8;

let azurite: TestStorage;

beforeAll(async () => {
  azurite = takeAccount();
});
afterAll(async () => {
  await azurite?.stop();
});

/** Runs a restore in a process that is killed some time after a file is half-written; its tally when it was not. */
async function attempt(args: [string, string, string], killAfter?: number): Promise<Tally | undefined> {
  const child = spawn(process.execPath, [CHILD, azurite.connectionString, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const closed = new Promise((resolve) => child.once("close", resolve));
  while (killAfter !== undefined && child.exitCode === null) {
    if (readdirSync(args[2]).some((name) => name.endsWith(".partial"))) {
      setTimeout(() => child.kill("SIGKILL"), killAfter);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await closed;
  const tally = output.split("\n")[1];
  return tally ? (JSON.parse(tally) as Tally) : undefined;
}

test("a restore that is killed leaves whole files or none, and continues where it was", async () => {
  const root = temporary();
  for (let index = 0; index < 60; index++) {
    await write(root, { [`d${index % 5}/f${index}`]: `${index}`.repeat(1000) });
  }
  for (const name of ["big", "d1/bigger"])
    await writeFile(path.join(root, name), randomBytes(16 * 1024 * 1024));
  const wanted = await snapshotOf(root);
  const { run, tally: copied } = await new Drive(azurite.service).backup({ root, prefix: randomUUID() });

  const to = temporary();
  const id = newRun();
  let killed = 0;
  let halfWritten = 0;
  let tally: Tally | undefined;
  for (let kill = 0; kill < KILLS && !tally; kill++) {
    tally = await attempt([id, run, to], kill * 3);
    if (!tally) killed++;
    for (const [name, node] of await snapshotOf(to)) {
      if (name.endsWith(".partial")) halfWritten++;
      if (!node.startsWith("file") || name.endsWith(".partial")) continue;
      if (node !== wanted.get(name)) throw new Error(`${name} is not whole`);
    }
  }
  tally ??= await attempt([id, run, to]);
  expect(killed).toBeGreaterThan(2);
  expect(halfWritten).toBeGreaterThan(0);
  expect(tally?.failures).toEqual([]);
  expect(await snapshotOf(to)).toEqual(wanted);
  // What was renamed before a kill and recorded after it counts as unchanged; each file counts once.
  expect((tally?.counts.copied ?? 0) + (tally?.counts.unchanged ?? 0)).toBe(copied.counts.copied);
});
