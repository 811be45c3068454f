/** A backup that found almost nothing (its root was not mounted, say) must not count as one. */
import { rm } from "node:fs/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objects } from "../cli/command.ts";
import { here } from "../cli/here.ts";
import { RecordsHost } from "../api/host.ts";
import { temporary, write } from "../restore/tree.ts";

let host: RecordsHost;
beforeAll(async () => {
  host = await RecordsHost.start();
});
afterAll(async () => {
  await host?.process.stop();
});

const files = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_none, number) => [`file-${number}`, "content"]));

/** A directory of so many files. */
async function rootOf(count: number): Promise<string> {
  const root = temporary();
  await write(root, files(count));
  return root;
}

async function leave(root: string, count: number): Promise<void> {
  const names = Object.keys(files(100)).slice(count);
  await Promise.all(names.map((name) => rm(`${root}/${name}`, { force: true })));
}

/** Makes a run one of another time. */
async function redate(id: string, started: string): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(host.process.connectionString);
  const ledgers = service.getContainerClient("backup-runs");
  const blob = ledgers.getBlockBlobClient(`${id}/run.json`);
  const record = JSON.parse((await blob.downloadToBuffer()).toString("utf8")) as { started: string };
  const changed = JSON.stringify({ ...record, started });
  await blob.upload(changed, Buffer.byteLength(changed));
  const nameOf = (at: string) =>
    `index/${String(9_999_999_999_999 - Date.parse(at)).padStart(13, "0")}-${id}`;
  await ledgers.getBlobClient(nameOf(record.started)).delete();
  const metadata = { summary: Buffer.from(changed).toString("base64") };
  await ledgers.getBlockBlobClient(nameOf(started)).upload("", 0, { metadata });
}

const stays = async (prune: string) =>
  (await host.files(prune, "?outcome=unchanged")).files.map(({ path }) => path.replace("backup-runs/", ""));

test("an emptied root: told as such, passed over, and never a reason to delete anything", async () => {
  const root = await rootOf(12);
  const place = { root, container: "emptied" };
  const good = await host.backUp(place);
  await leave(root, 0);
  const { status, suspect, message, id } = await host.backUp(place);
  expect({ status, suspect }).toEqual({ status: "failed", suspect: true });
  expect(message).toMatch(/found only 0 of the 12 files .*acceptFewer/);
  expect(await host.status(id)).toMatchObject({
    runtimeStatus: "Failed",
    output: expect.stringContaining("acceptFewer") as string,
    customStatus: { phase: "failed", suspect: true },
  });
  expect((await host.runs("?container=emptied")).runs.map((run) => run.suspect)).toEqual([true, undefined]);

  // The next is held against the last good one, not against this one.
  const again = await host.backUp({ ...place, mode: "incremental" });
  expect(again.suspect).toBe(true);
  const prune = await host.start({ container: "emptied", keepLast: 1 }, "pruneBackups");
  expect((await host.ended(prune)).status).toBe("completed");
  expect(await stays(prune)).toContain(good.id);

  const at = new Date().toISOString();
  const restore = await host.ended(
    await host.start({ at, container: "emptied", to: `${root}/restored` }, "restoreSiteContent"),
  );
  expect(restore).toMatchObject({ of: good.id, status: "completed", counts: { copied: 12 } });

  // Whoever says so may have fewer; from then on that is what the next run is held against.
  await rm(`${root}/restored`, { recursive: true });
  expect(await host.backUp({ ...place, acceptFewer: true })).toMatchObject({ status: "completed" });
  expect(await host.backUp(place)).toMatchObject({ status: "completed", counts: { copied: 0 } });
}, 60_000);

test("the command line ends with 3, and takes the last good run for the latest to restore", async () => {
  const root = await rootOf(10);
  const env = { FUNCTIONS_PORT: new URL(host.process.url).port };
  const backUp = (...more: string[]) => here(["backup", root, "--container", "by-cli", ...more], { env });
  expect((await backUp()).code).toBe(0);
  const good = (await host.runs("?container=by-cli")).runs[0]?.id;
  await leave(root, 0);
  const bad = await backUp();
  expect(bad.code).toBe(3);
  expect(bad.stderr).toContain("--accept-fewer");
  const listed = await here(["runs", "--container", "by-cli"], { env });
  expect(listed.stdout).toMatch(/ suspect\b/);
  const shown = await here(["show", "latest", "--container", "by-cli", "--json"], { env });
  expect(objects(shown.stdout)[0]).toMatchObject({ suspect: true, status: "failed" });
  const restored = await here(
    ["restore", "latest", "--container", "by-cli", "--to", `${root}/restored`, "--json"],
    { env },
  );
  expect(objects(restored.stdout).at(-1)).toMatchObject({ of: good, exitCode: 0 });
  await rm(`${root}/restored`, { recursive: true });
  expect(await backUp("--accept-fewer")).toMatchObject({ code: 0, stderr: `Backing up ${root}\n` });
}, 60_000);

describe("how few are too few", () => {
  test.each([
    { before: 5, after: 0, suspect: true },
    { before: 20, after: 2, suspect: undefined },
    { before: 21, after: 2, suspect: true },
    { before: 0, after: 0, suspect: undefined },
  ])("$before files before, $after now", async ({ before, after, suspect }) => {
    const root = await rootOf(before);
    const place = { root, container: `few-${before}-${after}` };
    expect((await host.backUp(place)).status).toBe("completed");
    await leave(root, after);
    expect((await host.backUp({ ...place, mode: "incremental" })).suspect).toBe(suspect);
  });
});

test("runs of other filters are judged apart: a mistyped include pushes nothing out", async () => {
  const root = await rootOf(30);
  const place = { root, container: "filters" };
  const whole = await host.backUp(place);
  const narrow = await host.backUp({ ...place, include: ["file-7"] });
  expect(narrow).toMatchObject({ status: "completed", counts: { copied: 1 } });
  const prune = await host.start({ container: "filters", keepLast: 1 }, "pruneBackups");
  expect((await host.ended(prune)).status).toBe("completed");
  expect((await stays(prune)).sort()).toEqual([whole.id, narrow.id].sort());
});

test("a run dated in the future is told as such, is no latest run, and no keep rule counts it", async () => {
  const root = await rootOf(3);
  const place = { root, container: "future" };
  const future = await host.backUp(place);
  await redate(future.id, new Date(Date.now() + 400 * 86_400_000).toISOString());
  expect((await host.run(future.id)).postdated).toBe(true);
  const now = await host.backUp(place);
  const env = { FUNCTIONS_PORT: new URL(host.process.url).port };
  const shown = await here(["show", "latest", "--container", "future", "--json"], { env });
  expect(objects(shown.stdout)[0]).toMatchObject({ run: now.id });

  const at = new Date(Date.now() + 500 * 86_400_000).toISOString();
  const restore = await host.ended(
    await host.start({ at, container: "future", to: `${root}/restored` }, "restoreSiteContent"),
  );
  expect(restore).toMatchObject({ of: now.id, status: "completed" });
  const prune = await host.start({ container: "future", keepLast: 1 }, "pruneBackups");
  await host.ended(prune);
  expect((await stays(prune)).sort()).toEqual([future.id, now.id].sort());
}, 30_000);
