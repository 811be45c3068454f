/** Directories that are read-only or closed, restored by a user who is not root and whom they bind: the tests step down to nobody. */
import { chmod, chown, lstat, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { asNobody, NOBODY } from "../harness/as-nobody.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { directoriesOf, snapshotOf, temporary, write } from "./tree.ts";

const { azurite, drive } = startDrive();

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
  "a restore over directories that are closed to their owner does the same, large files included",
  async () => {
    const modes = {
      "none/below": 0o300,
      none: 0,
      "none2/below": 0,
      none2: 0,
      add: 0o300,
      look: 0o500,
      list: 0o600,
    };
    const root = temporary();
    for (const name of Object.keys(modes))
      await write(root, {
        [`${name}/same`]: "same",
        [`${name}/f`]: "f",
        [`${name}/large`]: "large".repeat(9),
      });
    for (const [name, mode] of Object.entries(modes)) await chmod(path.join(root, name), mode);
    const { run } = await drive.backup({ root });
    const to = temporary();
    await chown(to, NOBODY, NOBODY);
    const mine = new Drive(azurite.service, { largeFile: 40 });
    const first = await asNobody(() => mine.restore({ run, to }));
    expect(first.tally).toMatchObject({ failures: [], counts: { copied: 21 } });
    for (const name of Object.keys(modes))
      await write(to, { [`${name}/f`]: "mine", [`${name}/extra/e`]: "e" });
    for (const name of Object.keys(modes)) {
      await rm(path.join(to, name, "large"));
      await chown(path.join(to, name, "extra"), NOBODY, NOBODY);
      await chmod(path.join(to, name, "extra"), 0);
    }
    const { tally, deleted } = await asNobody(() => mine.restore({ run, to, delete: true }));
    expect(tally).toMatchObject({ failures: [], counts: { copied: 14, unchanged: 7, failed: 0 } });
    expect(deleted).toBe(14);
    expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
    expect(await directoriesOf(to)).toEqual(await directoriesOf(root));
  },
);

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
