/** Whose backups a destination holds: which root's, however that is spelled, and only a root's that was found. */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunView, TreePage } from "../../src/api/schema.ts";
import { RecordsHost } from "./host.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

let host: RecordsHost;
let ledgers: ContainerClient;

beforeAll(async () => {
  host = await RecordsHost.start();
  const service = BlobServiceClient.fromConnectionString(host.process.connectionString);
  ledgers = service.getContainerClient("backup-runs");
});
afterAll(() => host?.process.stop());

async function refusal(body: unknown, why = "allowOtherRoot", expected = 409): Promise<string> {
  const init = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const { status, text } = await host.fetch("/orchestrators/backupSiteContent", init);
  expect([status, text]).toEqual([expected, expect.stringContaining(why)]);
  return (JSON.parse(text) as { detail: string }).detail;
}

async function directory(): Promise<string> {
  const root = temporary();
  await write(root, { a: "content" });
  return root;
}

/** As an older version, or a prune that was broken off, left the record of a run. */
async function rewrite({ id }: RunView, changes: object): Promise<void> {
  const blob = ledgers.getBlockBlobClient(`${id}/run.json`);
  const record = JSON.parse((await blob.downloadToBuffer()).toString()) as object;
  const body = JSON.stringify({ ...record, ...changes });
  await blob.upload(body, Buffer.byteLength(body));
}

describe("a destination", () => {
  it("does not become that of a root that was mistyped, but of the first that was found", async () => {
    const root = await directory();
    const container = "mistyped";
    const mistyped = path.join(root, "sit");
    expect(await host.backUp({ root: mistyped, container })).toMatchObject({
      status: "failed",
      message: expect.stringContaining("does not exist") as string,
    });
    expect(await host.backUp({ root, container })).toMatchObject({ status: "completed" });
    expect(await refusal({ root: mistyped, container })).toContain(` ${root}.`);
    // Nor is it lost because its root is away for a while.
    await rm(root, { recursive: true });
    expect(await host.backUp({ root, container })).toMatchObject({ status: "failed" });
    expect(await refusal({ root: await directory(), container })).toContain(` ${root}.`);
  });

  it("is another root's when a prune has left none of the first one's runs", async () => {
    const container = "pruned";
    const first = await host.backUp({ root: await directory(), container });
    const root = await directory();
    await refusal({ root, container });
    // A prune had begun to delete it.
    await rewrite(first, { forgotten: "an-earlier-prune" });
    const prune = await host.start({ container, keepLast: 1 }, "pruneBackups");
    expect(await host.ended(prune)).toMatchObject({ status: "completed" });
    expect((await host.fetch(`/backups/${first.id}`)).status).toBe(404);
    expect(await host.backUp({ root, container })).toMatchObject({ status: "completed" });
    await refusal({ root: first.root, container });
  });
});

describe("a root", () => {
  it("is the same with separators at its end, doubled ones and dots", async () => {
    const root = await directory();
    const wanted = await snapshotOf(root);
    const container = "spelled";
    const spelled = `/${root}//./`;
    const { id, root: recorded } = await host.backUp({ root: spelled, container });
    expect(recorded).toBe(root);
    expect(await host.backUp({ root, container })).toMatchObject({ status: "completed", root });
    for (const each of [root, spelled])
      expect((await host.runs(`?root=${encodeURIComponent(each)}`)).runs).toHaveLength(2);
    const to = temporary();
    const at = (await host.run(id)).started;
    const restore = await host.start({ at, container, root: spelled, to }, "restoreSiteContent");
    expect(await host.ended(restore)).toMatchObject({ status: "completed", of: id });
    expect(await snapshotOf(to)).toEqual(wanted);
  });

  it("is the same in records that have it as it was typed", async () => {
    const root = await directory();
    const container = "typed";
    const older = await host.backUp({ root, container });
    await rewrite(older, { root: `${root}/` });
    const at = (await host.run(older.id)).started;
    const restore = await host.start({ at, container, root, to: temporary() }, "restoreSiteContent");
    expect(await host.ended(restore)).toMatchObject({ status: "completed", of: older.id });
    await host.backUp({ root, container });
    // As two roots each would keep its newest.
    const prune = await host.start({ container, keepLast: 1 }, "pruneBackups");
    await host.ended(prune);
    expect((await host.fetch(`/backups/${older.id}`)).status).toBe(404);
  });
});

describe("a destination's layout", () => {
  it("is that of its first backup, which is told of each run, and keeps other destinations out", async () => {
    const root = await directory();
    const place = { root, container: "packed", prefix: "site" };
    const first = await host.backUp({ ...place, layout: "packs" });
    const second = await host.backUp(place);
    expect([first, second]).toMatchObject([
      { layout: "packs", status: "completed" },
      { layout: "packs", status: "completed" },
    ]);
    const { runs } = await host.runs("?container=packed");
    expect(runs.map(({ layout }) => layout)).toEqual(["packs", "packs"]);
    expect(await refusal({ ...place, layout: "files" }, "layout")).toMatch(
      /^packed\/site .*"packs".*"layout"/,
    );
    expect(await refusal({ ...place, prefix: "" }, "overlap")).toMatch(
      /^packed .*packed\/site.*"packs".*"prefix"/,
    );
    expect(await host.backUp({ ...place, prefix: "site2" })).toMatchObject({ layout: "files" });
    // Not where it is the default, but where it is asked for.
    await refusal({ ...place, keepVersions: true }, '\\"keepVersions\\": ', 400);
  });

  it("shows contents by their own hash", async () => {
    const root = await directory();
    const { id } = await host.backUp({ root, container: "hashed", layout: "packs" });
    const sha256 = createHash("sha256").update("content").digest("base64");
    const { files } = await host.files(id);
    expect(files).toEqual([expect.objectContaining({ path: "a", outcome: "copied", sha256 })]);
    expect(files[0]).not.toHaveProperty("packed");
    const { entries } = await host.get<TreePage>(`/backups/${id}/tree`);
    expect(entries).toEqual([expect.objectContaining({ name: "a", sha256 })]);
    expect(entries[0]).not.toHaveProperty("packed");
  });
});
