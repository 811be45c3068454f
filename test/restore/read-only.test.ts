/** Directories that are read-only, restored by a user who is not root and whom they bind: the tests step down to nobody. */
import { chmod, chown, lstat, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { asNobody, NOBODY } from "../harness/as-nobody.ts";
import { startDrive } from "./drive.ts";
import { directoriesOf, snapshotOf, temporary, write } from "./tree.ts";

const { drive } = startDrive();

/** A tree with a read-only directory that was restored and has changed since. */
async function changedSince() {
  const root = temporary();
  for (let index = 0; index < 20; index++) await write(root, { [`ro/f${index}`]: `${index}` });
  await write(root, { "ro/sub/x": "x", "ro/file": "a file" });
  await symlink("f1", path.join(root, "ro/link"));
  await chmod(path.join(root, "ro"), 0o555);
  const { run } = await drive.backup({ root });
  const to = temporary();
  if (process.geteuid?.() === 0) await chown(to, NOBODY, NOBODY);
  await asNobody(async () => {
    expect((await drive.restore({ run, to })).tally).toMatchObject({ failures: [] });
    const ro = path.join(to, "ro");
    await chmod(ro, 0o755);
    for (let index = 0; index < 20; index++) await write(to, { [`ro/f${index}`]: "mine" });
    for (const name of ["sub", "link", "file"]) await rm(path.join(ro, name), { recursive: true });
    await write(to, { "ro/file/no-more": "a directory", "ro/extra": "e" });
    await chmod(ro, 0o555);
  });
  return { root, run, to };
}

test("a restore over it brings all back, removes what is extra, and leaves it read-only", async () => {
  const { root, run, to } = await changedSince();
  const { tally, deleted } = await asNobody(() => drive.restore({ run, to, delete: true }));
  expect(tally).toMatchObject({ failures: [], counts: { copied: 23, failed: 0 } });
  expect(deleted).toBe(3);
  expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
  expect(await directoriesOf(to)).toEqual(await directoriesOf(root));
});

test("of a few of its files, too, though its own mode is none of what is restored", async () => {
  const { run, to } = await changedSince();
  const some = await asNobody(() => drive.restore({ run, to, include: ["ro/f1*"] }));
  expect(some.tally).toMatchObject({ failures: [], counts: { copied: 11 } });
  expect((await lstat(path.join(to, "ro"))).mode & 0o777).toBe(0o555);
});

test.runIf(process.geteuid?.() === 0)(
  "of another user's directory nothing is changed, and that is said",
  async () => {
    const { run, to } = await changedSince();
    await chown(path.join(to, "ro"), 0, 0);
    const { tally } = await asNobody(() => drive.restore({ run, to, include: ["ro/f1"] }));
    expect(tally.failures).toEqual(["ro/f1: permission denied (EACCES)"]);
    expect((await lstat(path.join(to, "ro"))).mode & 0o777).toBe(0o555);
  },
);
