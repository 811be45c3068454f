/** Blobs of layout packs, and the record of a run about them, that somebody forged: each fails by name and costs nothing else. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { startDrive } from "../harness/drive.ts";
import { forgePacks } from "../packs/forged-run.ts";
import { temporary } from "../restore/tree.ts";

const { azurite, drive } = startDrive();

it("a restore and a verification name what is forged, take no memory for it, and give the rest", async () => {
  const { run, sound, forged, damaged } = await forgePacks(azurite.service);
  const before = process.resourceUsage().maxRSS;
  const to = temporary();
  const restored = await drive.restore({ run, to });
  const verified = await drive.verify({ run, readData: true });
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(150 * 1024);

  for (const { tally } of [restored, verified]) {
    for (const [name, reason] of forged)
      expect(tally.failures.filter((failure) => failure.startsWith(`${name}: `))).toEqual([
        expect.stringMatching(reason),
      ]);
    const others = tally.failures.filter((failure) => !forged.has(failure.slice(0, failure.indexOf(": "))));
    expect(others).toEqual(
      damaged.map((name) => expect.stringMatching(new RegExp(`line \\d+ does not say enough of "${name}"$`))),
    );
  }
  expect((await readdir(to)).sort()).toEqual(sound);
  for (const name of sound) expect(await readFile(path.join(to, name), "utf8")).toBe(name);
});
