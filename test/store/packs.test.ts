/** The layout packs by its acts: what one run stores the others find, read, and tell from what is damaged. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { startDrive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

const { drive } = startDrive();

test("a backup restores and verifies", async () => {
  const root = temporary();
  await write(root, { a: "aaaa", "d/b": "bbbb", "d/c": "cccc", "e/f/g": "gggg", zero: "" });
  const prefix = randomUUID();
  const { run, tally } = await drive.backup({ root, prefix, layout: "packs" });
  expect(tally).toMatchObject({ failures: [], counts: { copied: 5 } });
  const to = temporary();
  const restored = await drive.restore({ run, to });
  expect(restored.tally).toMatchObject({ failures: [], counts: { copied: 5 } });
  expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
  for (const readData of [false, true])
    expect((await drive.verify({ run, readData })).tally).toMatchObject({
      failures: [],
      counts: { unchanged: 5 },
    });
});
