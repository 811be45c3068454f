import { execFileSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { Drive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "./tree.ts";

let azurite: TestStorage;

beforeAll(async () => {
  azurite = takeAccount();
});
afterAll(async () => {
  await azurite?.stop();
});

/** A file system of 1 MiB; undefined where this user may not mount one. */
function smallDisk(): string | undefined {
  const at = temporary();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", at], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync("umount", [at]));
  return at;
}

test("a full disk stops the restore, says so, and shows nothing half-written", async ({ skip }) => {
  const to = smallDisk();
  if (to === undefined) return skip("this user may not mount a file system");
  const root = temporary();
  for (let index = 0; index < 40; index++)
    await write(root, { [`f${index}`]: `${index % 10}`.repeat(index % 2 === 0 ? 50_000 : 100_000) });
  const { run } = await new Drive(azurite.service).backup({ root });
  const { run: full, tally } = await new Drive(azurite.service).restore({ run, to });
  expect(tally.stopped).toMatch(/disk .*\bfull\b/);
  const wanted = await snapshotOf(root);
  const there = await snapshotOf(to);
  expect(there.size).toBeGreaterThan(0);
  for (const [name, node] of there) expect(node === wanted.get(name)).toBe(true);
  expect((await readdir(to)).filter((name) => name.endsWith(".partial"))).toEqual([]);
  execFileSync("mount", ["-o", "remount,size=8m", to]);
  const redelivered = await new Drive(azurite.service).restore({ run, to }, full);
  expect(redelivered.tally.stopped).toBe(tally.stopped);
  const again = await new Drive(azurite.service).restore({ run, to });
  expect(again.tally.counts).toMatchObject({ failed: 0, unchanged: there.size });
  expect(await snapshotOf(to)).toEqual(wanted);
});

test("files are replaced on a disk that has room for some of the new ones at a time", async ({ skip }) => {
  const to = smallDisk();
  if (to === undefined) return skip("this user may not mount a file system");
  const root = temporary();
  for (let index = 0; index < 40; index++) {
    await write(root, { [`f${index}`]: `${index % 10}`.repeat(16_000) });
    await write(to, { [`f${index}`]: "old".repeat(5_000) });
  }
  const { run } = await new Drive(azurite.service).backup({ root });
  const { tally } = await new Drive(azurite.service).restore({ run, to });
  expect(tally).toMatchObject({ failures: [], counts: { copied: 40 } });
  expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
});
