/** What an activity of a run does that continues when its run is over and the next run has written. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { newRun } from "../harness/domain.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { closeRun } from "../../src/ledger/runs.ts";
import { Life, mortalDrive } from "../prune/dying-service.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

const { azurite } = startDrive();
/** Larger ones are copied by ranges. */
const SETTINGS = { largeFile: 100 };
const drive = new Drive(azurite.service, SETTINGS);

test.each([
  ["small file", "canceled", 10],
  ["large file", "canceled", 1_000],
  // By the engine, past the app: its record says that it runs.
  ["small file", "terminated", 10],
  ["large file", "terminated", 1_000],
] as const)(
  "the write of a %s that a %s run has under way is not made over what the next run wrote",
  async (_what, how, size) => {
    const place = { root: temporary(), container: `late-${randomUUID()}`, keepVersions: false };
    const blob = azurite.service.getContainerClient(place.container).getBlobClient("f");
    await write(place.root, { f: "first".padEnd(size, "1"), other: "other" });
    await drive.backup(place);

    await write(place.root, { f: "second".padEnd(size + 1, "2") });
    const life = new Life();
    const late = newRun();
    let next: { run: string } | undefined;
    const wanted = "third".padEnd(size + 2, "3");
    life.before = async ({ method, url }) => {
      const isWrite = url.includes(size > SETTINGS.largeFile ? "comp=blocklist" : "/f");
      if (next || method !== "PUT" || !url.includes(`${place.container}/f`) || !isWrite) return;
      next = { run: newRun() };
      if (how === "canceled") await closeRun(new Ledger(azurite.service, late), { status: "canceled" });
      await write(place.root, { f: wanted });
      await drive.backup({ ...place, mode: "incremental" }, next.run);
    };
    const { tally } = await mortalDrive(azurite.connectionString, life, SETTINGS).backup(place, late);

    expect((await blob.downloadToBuffer()).toString()).toBe(wanted);
    const { run } = next!;
    expect((await drive.verify({ run, readData: true })).tally).toMatchObject({ failures: [] });
    const to = temporary();
    await drive.restore({ run, to });
    expect(await snapshotOf(to)).toEqual(await snapshotOf(place.root));
    // Of the file, and of no other.
    expect(tally.counts).toMatchObject({ copied: 1, failed: 1 });
    const why = how === "canceled" ? "this run is over (canceled)" : "which began later";
    expect(tally.failures[0]).toContain(`f: the run ${run}`);
    expect(tally.failures[0]).toContain(why);
  },
);

test("what somebody else wrote meanwhile is written over, and kept", async () => {
  const place = { root: temporary(), container: `late-${randomUUID()}` };
  const container = azurite.service.getContainerClient(place.container);
  await write(place.root, { f: "first" });
  await drive.backup(place);
  await write(place.root, { f: "second" });
  const life = new Life();
  let met = false;
  life.before = async ({ method, url }) => {
    if (met || method !== "PUT" || !url.includes(`${place.container}/f`)) return;
    met = true;
    await container.getBlockBlobClient("f").upload("theirs", 6, { metadata: { run: "17" } });
  };
  const { tally } = await mortalDrive(azurite.connectionString, life).backup(place);
  expect(tally).toMatchObject({ failures: [], counts: { copied: 1 } });
  const contents: string[] = [];
  for await (const { snapshot = "" } of container.listBlobsFlat({ includeSnapshots: true })) {
    const blob = container.getBlobClient("f");
    contents.push((await (snapshot ? blob.withSnapshot(snapshot) : blob).downloadToBuffer()).toString());
  }
  expect(contents.sort()).toEqual(["second", "theirs"]);
});
