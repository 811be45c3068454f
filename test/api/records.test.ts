/** The record over HTTP: runs, a run and its progress, its files, canceling. */
import { rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LEDGER_CONTAINER } from "../../src/model/names.ts";
import type { FileOutcome, RunView } from "../../src/api/schema.ts";
import { bytes, directory, makeFolder, makeTree, manyFiles } from "../harness/tree.ts";
import { RecordsHost } from "./host.ts";

let host: RecordsHost;
let folder: string;
let service: BlobServiceClient;
beforeAll(async () => {
  folder = await makeFolder("records");
  // Small parts, so that a tree becomes several orchestrations; few requests and batches at a time, so that it takes its time.
  host = await RecordsHost.start({
    BACKUP_LIST_FILES: "100",
    BACKUP_REQUESTS_IN_FLIGHT: "2",
    AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions: "2",
  });
  service = BlobServiceClient.fromConnectionString(host.process.connectionString);
});
afterAll(async () => {
  await host.process.stop();
  rmSync(folder, { recursive: true, force: true });
});

const names = (files: readonly FileOutcome[]): string[] => files.map(({ path: name }) => name).sort();

/** All pages of a list, each asked for by the continuation of the one before. */
async function allPages<T extends { continuation?: string }>(path: string): Promise<T[]> {
  const pages = [await host.get<T>(path)];
  for (let last = pages[0]; last?.continuation !== undefined; last = pages.at(-1)) {
    pages.push(await host.get<T>(`${path}&continuation=${encodeURIComponent(last.continuation)}`));
  }
  return pages;
}

describe("GET /backups", () => {
  const ids: string[] = [];
  let root: string;
  beforeAll(async () => {
    root = await makeTree(path.join(folder, "Größe 大"), { a: "12", "bad.": "1", e: directory() });
    for (const container of ["one", "two", "one"].map((name) => `list-${name}`)) {
      const run = await host.backUp({ root, container, prefix: "p/q", allowOtherRoot: true });
      ids.unshift(run.id);
    }
  });

  it("newest first, each with what one wants to know of it", async () => {
    const { runs } = await host.runs(`?root=${encodeURIComponent(root)}`);
    expect(runs.map(({ id }) => id)).toEqual(ids);
    expect(runs[0]).toEqual({
      id: ids[0],
      app: expect.any(String) as string,
      kind: "backup",
      root,
      destination: { container: "list-one", prefix: "p/q", url: expect.stringMatching(/\/list-one\/p\/q$/) },
      layout: "files",
      mode: "full",
      status: "failed",
      started: expect.any(String),
      finished: expect.any(String),
      counts: expect.objectContaining({ copied: 1, failed: 1, directories: 1, bytes: 2 }),
      bytes: 2,
      links: expect.objectContaining({ self: `/backups/${ids[0]}` }),
    });
    expect(JSON.stringify(runs)).not.toMatch(/sig=|code=|AccountKey/);
  });

  it("pages of one, of two, with and without filters, are the whole list", async () => {
    for (const query of ["limit=1", "limit=2", `limit=1&root=${encodeURIComponent(root)}`]) {
      const pages = await allPages<{ runs: RunView[]; continuation?: string }>(`/backups?${query}`);
      expect(pages.flatMap(({ runs }) => runs.map(({ id }) => id)).filter((id) => ids.includes(id))).toEqual(
        ids,
      );
      expect(pages.at(-1)?.runs.length).toBeGreaterThan(0);
    }
    const first = await host.fetch("/backups?limit=1&code=s3cret");
    const next = /^<(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    expect(next).not.toContain("s3cret");
    expect((await host.get<{ runs: RunView[] }>(next)).runs[0]?.id).toBe(ids[1]);
  });

  it("a run that is added between two pages moves nothing", async () => {
    const { continuation } = await host.runs("?limit=1");
    await host.backUp({ root, container: "list-more" });
    const { runs } = await host.runs(`?limit=1&continuation=${continuation}`);
    expect(runs[0]?.id).toBe(ids[1]);
    ids.unshift((await host.runs("?limit=1")).runs[0]?.id ?? "");
  });

  it("filters", async () => {
    const of = async (query: string) => (await host.runs(query)).runs.map(({ id }) => id);
    expect(await of("?container=list-two")).toEqual([ids[2]]);
    expect(await of("?status=completed&container=list-two")).toEqual([]);
    expect(await of("?prefix=p%2Fq&container=list-two")).toEqual([ids[2]]);
    expect(await of("?prefix=p&container=list-two")).toEqual([]);
    expect(await of("?prefix=&container=list-two")).toEqual([]);
    const { started } = await host.run(ids[2] ?? "");
    expect(await of(`?since=${started}&container=list-one`)).toEqual([ids[1]]);
    expect(await of(`?until=${started}&container=list-one`)).toEqual([ids[3]]);
    expect(await of("?kind=verify")).toEqual([]);
    const verify = await host.start({ run: ids[2] }, "verifyBackup");
    expect(await host.ended(verify)).toMatchObject({ kind: "verify", of: ids[2] });
    expect(await of("?kind=verify")).toEqual([verify]);
    expect(await of("?kind=all&limit=1")).toEqual([verify]);
  });

  it("a path that is too long for the index is read from the record", async () => {
    const long = "/ü".repeat(2000);
    const run = await host.backUp({ root: long, container: "list-long" });
    expect((await host.runs("?container=list-long")).runs).toMatchObject([{ id: run.id, root: long }]);
  });

  it.each([
    ["?limit=0", /^"limit": .*\b1000\b/],
    ["?limit=x", /^"limit": /],
    ["?status=done", /^"status": .*running, completed, failed, canceled/],
    ["?since=yesterday", /^"since": expected a time/],
    ["?continuation=abc", /^"continuation"/],
    ["?statuss=failed", /^unknown parameter "statuss"/],
  ])("400 for %s, naming the parameter", async (query, detail) => {
    const answer = await host.fetch(`/backups${query}`);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.json()).toMatchObject({ status: 400, detail: expect.stringMatching(detail) });
  });
});

describe("GET /backups/{runId}", () => {
  it("is there from the start, tells progress that only grows, and ends with the counts", async () => {
    const root = await makeTree(path.join(folder, "progress"), manyFiles(700));
    const id = await host.start({ root, container: "progress" });
    const seen: RunView[] = [];
    let run = await host.run(id);
    for (; run.status === "running"; run = await host.run(id)) {
      seen.push(run);
      await sleep(20);
    }
    expect(run).toMatchObject({ status: "completed", counts: { copied: 700, failed: 0 } });
    expect(run).not.toHaveProperty("progress");
    expect(run.links).not.toHaveProperty("cancel");
    expect(seen[0]).toMatchObject({ root, links: { cancel: `/backups/${id}/cancel` } });
    const settled = seen.map(({ progress }) => progress?.settled.files ?? NaN);
    expect(settled).toEqual([...settled].sort((a, b) => a - b));
    const complete = seen.filter(({ progress }) => progress?.listed.complete);
    expect(complete.length).toBeGreaterThan(0);
    for (const { progress, counts } of complete) {
      expect(progress?.listed.files).toBe(700);
      expect(progress?.settled.files).toBe(counts?.copied);
    }
    const late = complete.filter(({ progress }) => (progress?.settled.files ?? 0) > 0);
    expect(late.length).toBeGreaterThan(0);
    for (const { progress } of late) expect(progress?.secondsLeft).toBeGreaterThanOrEqual(0);
  });

  it("tells the progress of a restore in the same way", async () => {
    const root = await makeTree(path.join(folder, "source"), manyFiles(300));
    const source = await host.backUp({ root, container: "restore" });
    const id = await host.start({ run: source.id, to: path.join(folder, "back") }, "restoreSiteContent");
    const seen: RunView[] = [];
    let run = await host.run(id);
    for (; run.status === "running"; run = await host.run(id)) {
      seen.push(run);
      await sleep(5);
    }
    expect(run).toMatchObject({
      kind: "restore",
      of: source.id,
      status: "completed",
      counts: { copied: 300 },
    });
    expect(seen[0]).toMatchObject({ kind: "restore", of: source.id, root: path.join(folder, "back") });
    const complete = seen.filter(({ progress }) => progress?.listed.complete);
    expect(complete.length).toBeGreaterThan(0);
    for (const { progress } of complete) expect(progress?.listed.files).toBe(300);
    expect(run).not.toHaveProperty("dryRun");
  });

  it("says of a dry run that it is one, from the start and in the list", async () => {
    const { id: of } = await host.backUp({ root: await makeTree(path.join(folder, "dry"), { a: "1" }) });
    const to = path.join(folder, "nowhere");
    const id = await host.start({ run: of, to, dryRun: true }, "restoreSiteContent");
    expect(await host.run(id)).toMatchObject({ kind: "restore", dryRun: true, root: to });
    expect(await host.ended(id)).toMatchObject({ dryRun: true, status: "completed", counts: { copied: 1 } });
    expect((await host.runs("?kind=restore&limit=1")).runs).toMatchObject([{ id, dryRun: true }]);
  });

  it("says that a run has ended which was terminated from outside", async () => {
    const root = await makeTree(path.join(folder, "outside"), manyFiles(300));
    const answer = await host.fetch("/orchestrators/backupSiteContent", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ root, container: "outside" }),
    });
    const { id, terminatePostUri } = answer.json() as { id: string; terminatePostUri: string };
    await fetch(terminatePostUri.replace("{text}", "enough"), { method: "POST" });
    const run = await host.ended(id);
    expect(run).toMatchObject({ status: "canceled", message: "enough", finished: expect.any(String) });
    // The list says so, too, where the run came to have a record.
    for (const listed of (await host.runs("?container=outside")).runs)
      expect(listed).toMatchObject({ id, status: "canceled", settling: true });
    // Canceling it makes the record say so, and frees the destination.
    expect((await host.fetch(`/backups/${id}/cancel`, { method: "POST" })).status).toBe(200);
    expect((await host.runs("?container=outside")).runs).toMatchObject([{ id, status: "canceled" }]);
  });

  it.each(["nope", "index", "0123456789abcdef0123456789abcdef", "a:b", "..%2f"])("404 for %s", async (id) => {
    for (const [method, below] of [
      ["GET", ""],
      ["GET", "/files"],
      ["GET", "/tree"],
      ["GET", "/content?path=a"],
      ["POST", "/cancel"],
    ] as const) {
      const answer = await host.fetch(`/backups/${id}${below}`, { method });
      expect(answer.status, below).toBe(404);
      expect(answer.json()).toMatchObject({
        status: 404,
        detail: expect.stringContaining("no run"),
      });
    }
  });
});

describe("GET /backups/{runId}/files", () => {
  let run: RunView;
  const tree = manyFiles(250);
  beforeAll(async () => {
    const root = await makeTree(path.join(folder, "files"), {
      ...tree,
      "bad.": "",
      "d000/worse.": "",
      empty: directory(),
    });
    run = await host.backUp({ root, container: "files" });
  });

  it("every file once, over pages of any size", async () => {
    for (const limit of [7, 100, 10_000]) {
      const pages = await allPages<{ files: FileOutcome[]; continuation?: string }>(
        `/backups/${run.id}/files?limit=${limit}`,
      );
      for (const { files } of pages) expect(files.length).toBeLessThanOrEqual(limit);
      expect(names(pages.flatMap(({ files }) => files))).toEqual(
        [...Object.keys(tree), "bad.", "d000/worse.", "empty"].sort(),
      );
    }
  });

  it("by outcome and by prefix", async () => {
    const failed = await host.files(run.id, "?outcome=failed");
    expect(names(failed.files)).toEqual(["bad.", "d000/worse."]);
    expect(failed.files[0]).toMatchObject({
      outcome: "failed",
      reason: expect.stringMatching(/cannot hold/),
    });
    expect(names((await host.files(run.id, "?outcome=failed&prefix=d0")).files)).toEqual(["d000/worse."]);
    expect(names((await host.files(run.id, "?outcome=copied&prefix=empty")).files)).toEqual(["empty"]);
    expect((await host.files(run.id, "?prefix=d004/")).files).toHaveLength(50);
    expect(names((await host.files(run.id, "?text=WORSE")).files)).toEqual(["d000/worse."]);
    expect(names((await host.files(run.id, "?text=cannot hold&prefix=b")).files)).toEqual(["bad."]);
    expect((await host.files(run.id, "?text=nowhere")).files).toEqual([]);
    expect((await host.files(run.id, "?outcome=vanished")).files).toEqual([]);
  });

  it("a JSON line a file, by Accept", async () => {
    const answer = await host.fetch(`/backups/${run.id}/files?limit=3`, {
      headers: { accept: "application/x-ndjson" },
    });
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    expect(answer.headers.get("link")).toMatch(/rel="next"/);
    const lines = answer.text.trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as FileOutcome).path)).toEqual(
      (await host.files(run.id, "?limit=3")).files.map((file) => file.path),
    );
  });

  it("a line of the ledger that cannot be read is named, and costs no other", async () => {
    const container = service.getContainerClient(LEDGER_CONTAINER);
    for await (const { name } of container.listBlobsFlat({ prefix: `${run.id}/outcomes/` })) {
      const blob = container.getBlockBlobClient(name);
      const { metadata } = await blob.getProperties();
      const text = `{"torn\n${(await blob.downloadToBuffer()).toString()}`;
      await blob.upload(text, Buffer.byteLength(text), metadata ? { metadata } : {});
      const record = name.slice(run.id.length + 1);
      const page = await host.files(run.id, "?limit=10000");
      expect(page.damaged).toEqual([{ record, offset: 0 }]);
      expect(page.files).toHaveLength(253);
      break;
    }
  });

  it.each([
    ["?outcome=lost", /^"outcome": .*copied, unchanged/],
    ["?limit=10001", /^"limit": .*\b10000\b/],
    ["?continuation=e30", /^"continuation": /],
  ])("400 for %s", async (query, detail) => {
    const answer = await host.fetch(`/backups/${run.id}/files${query}`);
    expect(answer.json()).toMatchObject({ status: 400, detail: expect.stringMatching(detail) });
  });
});

describe("POST /backups/{runId}/cancel", () => {
  const cancel = (id: string) => host.fetch(`/backups/${id}/cancel`, { method: "POST" });

  /** The batches that the root handed out, and those that were recorded. */
  async function ledgerOf(id: string): Promise<{ batches: number; records: number }> {
    const container = service.getContainerClient(LEDGER_CONTAINER);
    let [batches, records] = [0, 0];
    for await (const { name } of container.listBlobsFlat({ prefix: `${id}/` })) {
      if (/\/outcomes\/0-\d+\.jsonl$/.test(name)) records++;
      if (!name.endsWith("/lists/0.json")) continue;
      const text = (await container.getBlobClient(name).downloadToBuffer()).toString();
      batches += (JSON.parse(text) as { batches: unknown[] }).batches.length;
    }
    return { batches, records };
  }

  it("stops the run with all its parts, leaves what is copied, and frees the destination", async () => {
    // Files of the root are copied first; each is a batch, and takes a while.
    const large = Object.fromEntries(
      Array.from({ length: 6 }, (_none, index) => [`${index}.bin`, bytes(9_000_000)]),
    );
    const tree = { ...large, ...manyFiles(600) };
    const root = await makeTree(path.join(folder, "cancel"), tree);
    const id = await host.start({ root, container: "cancel" });
    while (((await host.run(id)).counts?.copied ?? 0) === 0) await sleep(20);
    const answer = await cancel(id);
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ id, status: "canceled" });
    // What was just under way may still be written; then nothing more comes.
    let { counts } = await host.run(id);
    for (let still = 0; still < 8;) {
      await sleep(250);
      const { counts: now } = await host.run(id);
      still = now?.copied === counts?.copied ? still + 1 : 0;
      counts = now;
    }
    expect(counts?.copied).toBeGreaterThan(0);
    expect(counts?.copied).toBeLessThan(606);
    // Activities that were queued had nothing left to do.
    const { records, batches } = await ledgerOf(id);
    expect(records).toBeGreaterThan(0);
    expect(records).toBeLessThan(batches);
    const blobs = [];
    for await (const { name } of service.getContainerClient("cancel").listBlobsFlat()) blobs.push(name);
    expect(blobs).toHaveLength(counts?.copied ?? -1);
    // The list and the run say the same; and that it is not final, for they cannot know what is under way.
    const listed = (await host.runs("?container=cancel")).runs;
    expect(listed).toMatchObject([{ id, status: "canceled", counts, settling: true }]);
    expect(await host.run(id)).toMatchObject({ counts, settling: true });
    const stillActive = await fetch(
      `${host.process.url}/runtime/webhooks/durabletask/instances?runtimeStatus=Running,Pending`,
    );
    expect(await stillActive.json()).toEqual([]);

    const again = await host.backUp({ root, container: "cancel", mode: "incremental" });
    expect(again).toMatchObject({ status: "completed", counts: { failed: 0 } });
    expect((again.counts?.copied ?? 0) + (again.counts?.unchanged ?? 0)).toBe(606);
  });

  it("at once after the start, and twice", async () => {
    const root = await makeTree(path.join(folder, "at-once"), manyFiles(200));
    const id = await host.start({ root, container: "at-once" });
    const both = await Promise.all([cancel(id), cancel(id)]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(await host.run(id)).toMatchObject({ status: "canceled" });
    expect((await host.runs("?container=at-once")).runs).toMatchObject([{ id, status: "canceled" }]);
    expect(await host.backUp({ root, container: "at-once" })).toMatchObject({ status: "completed" });
  });

  it("409 for a run that has ended", async () => {
    const root = await makeTree(path.join(folder, "ended"), { a: "1" });
    const { id } = await host.backUp({ root, container: "ended" });
    const answer = await cancel(id);
    expect(answer.json()).toMatchObject({
      status: 409,
      detail: expect.stringMatching(new RegExp(` ${id} .*completed`)),
    });
  });
});
