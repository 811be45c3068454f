/** Destinations in the layout packs for tests of prunes: what is put into them, and what is in them then. */
import { randomBytes, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import { Ledger } from "../../src/ledger/ledger.ts";
import { readAvoid } from "../../src/store/packs/avoid.ts";
import { startDrive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

export const many = (names: string, content: string) =>
  Object.fromEntries(names.split("").map((name) => [name, `${content} ${name} `.repeat(20)]));

/** A file that is cut into chunks, and some small ones. */
export async function writeLarger(root: string): Promise<void> {
  await write(root, many("abcdefghij", "small"));
  await writeFile(path.join(root, "larger"), randomBytes(5 * 1024 * 1024));
}

const brief = ([name, node]: [string, string]) => `${name} ${node.slice(0, 400)}`;

/** An account, a drive on it, and what tests ask of these. */
export function startPacks() {
  const { azurite, drive } = startDrive();

  function newPlace() {
    const container = `packs-${randomUUID()}`;
    return {
      place: { container, layout: "packs" },
      container,
      at: azurite.service.getContainerClient(container),
    };
  }

  /** The blobs of a destination but for its format: of packs the runs that wrote them, of others the names. */
  async function blobsOf(container: string): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of azurite.service.getContainerClient(container).listBlobsFlat())
      if (name !== "format.json")
        names.push(/^packs\/([^/]+)\/[^/]+-[0-9a-f]{8}-\d+$/.exec(name)?.[1] ?? name);
    return names.sort();
  }

  const chunksOf = async (container: string) =>
    (await blobsOf(container)).filter((name) => name.startsWith("chunks/"));

  async function expectWhole(run: string, wanted: Map<string, string>): Promise<void> {
    const to = temporary();
    expect((await drive.restore({ run, to })).tally).toMatchObject({ failures: [], counts: { failed: 0 } });
    const restored = [...(await snapshotOf(to))];
    // Not to print a file of megabytes.
    expect(restored.map(brief)).toEqual([...wanted].map(brief));
    expect((await drive.verify({ run, readData: true })).tally.counts.failed).toBe(0);
  }

  /** Takes the end of a run back by so long that nothing of it can be at work any more. */
  async function backdate(run: string): Promise<void> {
    const ledger = new Ledger(drive.service, run);
    const body = (await ledger.read("run.json")) ?? "";
    await ledger.write(
      "run.json",
      body.replace(/"finished":"[^"]+"/, '"finished":"2026-01-01T00:00:00.000Z"'),
    );
  }

  /** What the next backups do not build on. */
  async function avoided(container: string): Promise<string[]> {
    const at = { container: { containerName: container }, prefix: "" };
    return (await readAvoid({ service: azurite.service, ...at })).packs;
  }

  return { azurite, drive, newPlace, blobsOf, chunksOf, expectWhole, backdate, avoided };
}
