/** Prunes of destinations in the layout packs where blobs are damaged or gone, or files cannot be read. */
import { chmod } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { asNobody } from "../harness/as-nobody.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";
import { many, startPacks } from "./in-packs.ts";

const { drive, newPlace, avoided, expectWhole } = startPacks();

test("a pack that nobody needs goes though its beginning is damaged; what is not known to be one stays, and why is said", async () => {
  const { place, container, at } = newPlace();
  const root = temporary();
  await write(root, many("ab", "first"));
  const first = await drive.backup({ root, ...place });
  await write(root, many("ab", "second"));
  const second = await drive.backup({ root, ...place });
  const [pack] = [...(await drive.outcomes(first.run)).values()].map(({ packed }) => packed!.pack);
  const blob = at.getBlockBlobClient(`packs/${pack}`);
  const damaged = (await blob.downloadToBuffer()).fill(0, 0, 8);
  await blob.upload(damaged, damaged.length);
  const id = "ab".repeat(32);
  const others: Record<string, [content: string, reason: RegExp]> = {
    [`packs/${first.run}/0-7-0123abcd-0`]: ["", /not begin as a pack/],
    [`packs/${first.run}/0-8-0123abcd-0`]: ["of somebody else".repeat(9), /not begin as a pack/],
    [`packs/${first.run}/0-9-0123abcd-0`]: ["\0".repeat(99), /not begin as a pack/],
    [`chunks/ab/${id}`]: [damaged.toString("latin1"), /not begin as a chunk/],
    [`chunks/cd/${id.replace("ab", "cd")}`]: ["SBKP\u0002C\0\0later", /version 2\b/],
  };
  for (const [name, [content]] of Object.entries(others))
    await at.getBlockBlobClient(name).upload(content, Buffer.byteLength(content));

  const pruned = await drive.prune({ container, keepLast: 1 });
  expect(pruned).toMatchObject({ kept: [second.run], forgotten: [first.run] });
  const outcomes = await drive.outcomes(pruned.run);
  expect(outcomes.get(`packs/${pack}`)).toMatchObject({ outcome: "deleted" });
  for (const [name, [, said]] of Object.entries(others))
    expect(outcomes.get(name)).toMatchObject({ outcome: "skipped", reason: expect.stringMatching(said) });
  expect(await blob.exists()).toBe(false);
  for (const name of Object.keys(others)) expect(await at.getBlobClient(name).exists()).toBe(true);
});

test("the list of what later backups avoid loses packs that others have deleted", async () => {
  const { place, container, at } = newPlace();
  const root = temporary();
  await write(root, many("ab", "content"));
  const damage = async (): Promise<string> => {
    const { run } = await drive.backup({ root, ...place });
    const [{ pack, offset } = { pack: "", offset: 0 }] = [...(await drive.outcomes(run)).values()].map(
      ({ packed }) => packed!,
    );
    const blob = at.getBlockBlobClient(`packs/${pack}`);
    const content = await blob.downloadToBuffer();
    await blob.upload(content.fill(0, offset), content.length);
    expect((await drive.verify({ run, readData: true })).tally.counts.failed).toBe(2);
    return pack;
  };
  const first = await damage();
  expect(await avoided(container)).toEqual([first]);
  await at.deleteBlob(`packs/${first}`);
  const second = await damage();
  expect(await avoided(container)).toEqual([second]);
});

test("a file that cannot be read when its pack is to be emptied fails; what older runs have of it stays", async () => {
  const { place, container } = newPlace();
  const root = temporary();
  await chmod(root, 0o755);
  const next = { root, ...place, mode: "incremental" };
  await write(root, many("abcdefgh", "first"));
  await drive.backup(next);
  await write(root, many("abcdefg", "second"));
  const second = await drive.backup(next);
  const wanted = await snapshotOf(root);
  await drive.prune({ container, keepLast: 1 });
  expect(await avoided(container)).toHaveLength(1);

  await chmod(path.join(root, "h"), 0);
  const third = await asNobody(() => drive.backup(next));
  expect(third.tally.failures).toEqual([expect.stringMatching(/^h: .*EACCES/)]);
  expect((await drive.prune({ container, keepLast: 1 })).kept).toEqual([third.run, second.run]);
  await expectWhole(second.run, wanted);
});
