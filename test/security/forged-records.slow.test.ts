/**
 * Who can write the container of the ledgers writes records there, before a run's first activity or between two of them.
 * A run takes from its records what there is to do, never where: each row is one forged record, and what it must not reach.
 */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postRun, type RunStatus } from "../harness/run.ts";
import {
  isWrite,
  startStorageProxy,
  type StorageProxy,
  type StorageRequest,
} from "../harness/storage-proxy.ts";
import { bytes, makeFolder, makeTree } from "../harness/tree.ts";
import { snapshotOf } from "../restore/tree.ts";

const CHANGED = /the record of this run was changed by someone else/i;
const SECRET = "content from outside";

let azurite: TestStorage;
let proxy: StorageProxy;
let host: LocalHostProcess;
let service: BlobServiceClient;
let folder: string;
/** What is backed up; what must not be read, nor be restored into; what is restored into. */
let root: string;
let outside: string;
let to: string;
/** Runs of the container "good", the older first. */
let runs: [older: string, newer: string];

beforeAll(async () => {
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  folder = await makeFolder("forged");
  root = await makeTree(path.join(folder, "root"), {
    "a.txt": "a",
    "private/key": "private",
    "large.bin": bytes(1_500_000),
  });
  outside = await makeTree(path.join(folder, "outside"), { key: SECRET, "a.txt": SECRET });
  to = await makeTree(path.join(folder, "to"), { extra: "extra" });
  host = await startLocalHost({
    entry: "build",
    connectionString: proxy.connectionString,
    env: {
      BACKUP_LARGE_FILE_MIB: "1",
      BACKUP_ACTIVITY_RETRY_MS: "50",
      // They allow what is forged, too: within them nothing is redirected either.
      BACKUP_ROOTS: folder,
      RESTORE_ROOTS: folder,
    },
  });
  service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  runs = [(await backup()).instanceId, (await backup()).instanceId];
});
afterAll(async () => {
  await host?.stop();
  await proxy?.stop();
  await azurite?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function backup(): Promise<RunStatus> {
  const { location } = await postRun(host.url, "backupSiteContent", { root, container: "good" });
  return await followRun(location);
}

/** Runs to the end while somebody writes records at one moment: before, or after, the first write of such a record. */
async function attacked(
  [orchestrator, request]: [string, unknown],
  [moment, record]: readonly ["before" | "after", RegExp],
  forge: (run: string, name: string) => Promise<void>,
): Promise<RunStatus> {
  let met = false;
  proxy[moment] = async (seen: StorageRequest) => {
    const [run = "", ...name] = seen.blob.split("/");
    if (met || seen.container !== "backup-runs" || !isWrite(seen) || !record.test(name.join("/"))) return;
    met = true;
    await forge(run, name.join("/"));
  };
  try {
    const { location } = await postRun(host.url, orchestrator, request);
    return await followRun(location);
  } finally {
    proxy.before = proxy.after = () => undefined;
    expect(met, "the moment of the attack came").toBe(true);
  }
}

/** After the run was started, and before its first activity. */
const FIRST = ["after", /^run\.json$/] as const;

async function put(name: string, value: unknown, container = "backup-runs"): Promise<string> {
  const body = typeof value === "string" ? value : JSON.stringify(value);
  const client = service.getContainerClient(container);
  await client.createIfNotExists();
  await client.getBlockBlobClient(name).upload(body, Buffer.byteLength(body));
  return body;
}

async function get<T>(name: string): Promise<T> {
  const blob = service.getContainerClient("backup-runs").getBlobClient(name);
  return JSON.parse((await blob.downloadToBuffer()).toString()) as T;
}

/** Writes a list, and gives the range of it that a record names. */
async function list(run: string, lines: readonly unknown[]) {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  await put(`${run}/lists/forged.jsonl`, text);
  const sha256 = createHash("sha256").update(text).digest("base64url");
  return {
    list: "lists/forged.jsonl",
    offset: 0,
    length: Buffer.byteLength(text),
    files: 1,
    bytes: 1,
    sha256,
  };
}

async function names(container: string): Promise<string[]> {
  const found: string[] = [];
  const client = service.getContainerClient(container);
  if (!(await client.exists())) return found;
  for await (const { name } of client.listBlobsFlat()) found.push(name);
  return found;
}

const file = (name: string, content = SECRET) => ({
  path: name,
  kind: "file",
  size: content.length,
  mtime: 1e15,
  mode: 0o644,
  md5: createHash("md5").update(content).digest("base64"),
});
const NOTHING = { version: 1, found: { counts: {}, failures: [] }, large: [], rest: [] };

describe("a backup", () => {
  const request = (container: string) => ({ root, container, exclude: ["private/"] });
  const asked = (container: string) => ({
    ...request(container),
    prefix: "",
    include: [],
    mode: "full",
    checksum: false,
    keepVersions: true,
    allowOtherRoot: false,
  });
  const listing = (container: string) => ({
    ...NOTHING,
    request: asked(container),
    realRoot: root,
    fresh: true,
    keep: "snapshots",
    toCopy: { files: 1, bytes: 1 },
  });

  it.each([
    ["reads another root", () => ({ realRoot: outside }), "key"],
    ["writes into another container", () => ({ request: asked("stolen") }), "a.txt"],
    ["reads what the filters leave out", () => ({}), "private/key"],
    ["reads by a name that leads out of the root", () => ({}), "../outside/key"],
  ])("never %s because of a listing that was there before", async (_what, change, name) => {
    const container = `before-${Math.random().toString(36).slice(2)}`;
    const end = await attacked(["backupSiteContent", request(container)], FIRST, async (run) => {
      const batches = [await list(run, [file(name)])];
      await put(`${run}/lists/0.json`, { ...listing(container), batches, ...change() });
    });
    expect(await names(container)).toEqual([]);
    expect(await names("stolen")).toEqual([]);
    expect(end).toMatchObject({ runtimeStatus: "Failed", output: expect.stringMatching(CHANGED) as string });
  });

  it("never walks what a listing that was there before says is left, nor its large files", async () => {
    const end = await attacked(["backupSiteContent", request("left")], FIRST, async (run) => {
      const rest = [await list(run, [{ file: "private/key" }])];
      await put(`${run}/lists/0.json`, { ...listing("left"), batches: [], rest });
    });
    expect(end.output).toMatch(CHANGED);
    expect(await names("left")).toEqual([]);
    const large = await attacked(["backupSiteContent", request("large")], FIRST, async (run) => {
      const range = await list(run, [{ ...file("large.bin"), path: "private/key" }]);
      await put(`${run}/lists/0.json`, { ...listing("large"), batches: [], large: [range] });
    });
    expect(large.output).toMatch(CHANGED);
    expect(await names("large")).toEqual([]);
  });

  it("keeps to what it was asked for when the listing is changed after it was made", async () => {
    await attacked(["backupSiteContent", request("after")], ["after", /^lists\/0\.json$/], async (run) => {
      const made = await get<object>(`${run}/lists/0.json`);
      await put(`${run}/lists/0.json`, { ...made, realRoot: outside, request: asked("stolen") });
    });
    for (const name of await names("after")) {
      const blob = service.getContainerClient("after").getBlobClient(name);
      expect((await blob.downloadToBuffer()).toString(), name).not.toContain(SECRET);
    }
    expect(await names("stolen")).toEqual([]);
  });

  it.each([
    ["files", /^lists\/0-[-0-9a-f]+\.jsonl$/, "private/key"],
    ["large files", /^lists\/0-[-0-9a-f]+\.large\.jsonl$/, "private/key"],
  ])("reads nothing else when its list of %s is changed after it was made", async (what, record, name) => {
    const container = `changed-${what.replace(" ", "-")}`;
    const end = await attacked(
      ["backupSiteContent", request(container)],
      ["after", record],
      async (run, list) => {
        const blob = service.getContainerClient("backup-runs").getBlobClient(`${run}/${list}`);
        const text = (await blob.downloadToBuffer()).toString();
        const line = `${JSON.stringify(file(name))}`;
        await put(`${run}/${list}`, `${line}${" ".repeat(Math.max(0, text.length - line.length - 1))}\n`);
      },
    );
    expect(await names(container)).not.toContain(name);
    expect(end).toMatchObject({ runtimeStatus: "Failed", output: expect.stringMatching(CHANGED) as string });
  });

  it("ends only itself, whatever its record says that it is", async () => {
    const [other] = runs;
    const before = await names("backup-runs");
    await attacked(["backupSiteContent", request("ended")], FIRST, async (run) => {
      const mine = { ...asked("ended"), version: 1, id: other, kind: "prune", status: "running" };
      await put(`${run}/run.json`, { ...mine, started: new Date().toISOString() });
    });
    expect(await names("backup-runs")).toEqual(expect.arrayContaining(before));
  });
});

describe("a restore", () => {
  const plan = (more: object) => ({
    ...NOTHING,
    source: {
      id: runs[1],
      root,
      container: "good",
      prefix: "",
      include: [],
      exclude: [],
      status: "completed",
    },
    toDo: { files: 1, bytes: 1 },
    ...more,
  });
  const asked = (more: object = {}) => ({
    run: runs[1],
    to,
    include: [],
    exclude: [],
    overwrite: "changed",
    delete: false,
    dryRun: false,
    ...more,
  });
  const item = (name: string, content: string) => ({
    ...file(name, content),
    source: { length: content.length },
  });

  it.each([
    ["writes elsewhere", {}, () => ({ realTo: outside })],
    ["writes at all in a dry run", { dryRun: true }, () => ({ realTo: to, request: asked() })],
    [
      "deletes in a dry run",
      { dryRun: true, delete: true },
      () => ({ realTo: to, request: asked({ delete: true }), batches: [] }),
    ],
    ["writes what the filters leave out", { exclude: ["a.txt"] }, () => ({ realTo: to })],
    [
      "takes contents from elsewhere",
      {},
      () => ({ realTo: to, source: { ...plan({}).source, container: "precious" } }),
    ],
  ])("never %s because of a plan that was there before", async (_what, more, change) => {
    await put("a.txt", SECRET, "precious");
    const before = [await snapshotOf(to), await snapshotOf(outside)];
    const end = await attacked(["restoreSiteContent", { run: runs[1], to, ...more }], FIRST, async (run) => {
      const content = _what.includes("elsewhere") ? SECRET : "a";
      const batches = [await list(run, [item("a.txt", content)])];
      await put(`${run}/lists/0.json`, plan({ request: asked(more), batches, ...change() }));
    });
    expect([await snapshotOf(to), await snapshotOf(outside)]).toEqual(before);
    expect(end).toMatchObject({ runtimeStatus: "Failed", output: expect.stringMatching(CHANGED) as string });
  });

  it("stays dry when the plan is changed after it was made", async () => {
    const before = [await snapshotOf(to), await snapshotOf(outside)];
    const request = { run: runs[1], to, dryRun: true, delete: true };
    await attacked(["restoreSiteContent", request], ["after", /^lists\/0\.json$/], async (run) => {
      const made = await get<{ request: object }>(`${run}/lists/0.json`);
      const wet = { ...made.request, dryRun: false, to: outside };
      await put(`${run}/lists/0.json`, { ...made, request: wet, realTo: outside });
    });
    expect([await snapshotOf(to), await snapshotOf(outside)]).toEqual(before);
  });

  it("writes nothing else when its list of files is changed after it was made", async () => {
    const target = await makeTree(path.join(folder, "listed"), {});
    const request = { run: runs[1], to: target, exclude: ["private/"] };
    const end = await attacked(
      ["restoreSiteContent", request],
      ["after", /^lists\/0-[-0-9a-f]+\.jsonl$/],
      async (run, list) => {
        const blob = service.getContainerClient("backup-runs").getBlobClient(`${run}/${list}`);
        const text = (await blob.downloadToBuffer()).toString();
        const line = JSON.stringify(item("private/key", "private"));
        await put(`${run}/${list}`, `${line}${" ".repeat(Math.max(0, text.length - line.length - 1))}\n`);
      },
    );
    expect([...(await snapshotOf(target)).keys()]).not.toContain("private/key");
    expect(end).toMatchObject({ runtimeStatus: "Failed", output: expect.stringMatching(CHANGED) as string });
  });

  it("is of the run that was asked for, whatever its record says", async () => {
    const target = await makeTree(path.join(folder, "of"), {});
    const end = await attacked(["restoreSiteContent", { run: runs[1], to: target }], FIRST, async (run) => {
      const mine = { version: 1, id: run, kind: "restore", of: runs[0], root: target, container: "good" };
      const more = { prefix: "", mode: "full", started: new Date().toISOString(), status: "running" };
      await put(`${run}/run.json`, { ...mine, ...more });
    });
    expect([...(await snapshotOf(target)).keys()]).toEqual([]);
    expect(end).toMatchObject({ runtimeStatus: "Failed", output: expect.stringMatching(CHANGED) as string });
  });

  it("of a time takes no run of another place, whatever the index of runs says of it", async () => {
    const other = await postRun(host.url, "backupSiteContent", { root: outside, container: "outside" });
    const { instanceId } = await followRun(other.location);
    const records = service.getContainerClient("backup-runs");
    for await (const { name, metadata } of records.listBlobsFlat({
      prefix: "index/",
      includeMetadata: true,
    })) {
      if (!name.includes(instanceId)) continue;
      const said = Buffer.from(metadata?.["summary"] ?? "", "base64").toString();
      const forged = said.replace('"container":"outside"', '"container":"good"');
      expect(forged).not.toBe(said);
      await records.getBlobClient(name).setMetadata({ summary: Buffer.from(forged).toString("base64") });
    }
    const target = await makeTree(path.join(folder, "of-a-time"), {});
    const request = { at: new Date().toISOString(), container: "good", to: target };
    const { location } = await postRun(host.url, "restoreSiteContent", request);
    expect((await followRun(location)).runtimeStatus).toBe("Completed");
    expect(await snapshotOf(target)).toEqual(await snapshotOf(root));
  });
});

it("a verification reads in the container of its run alone", async () => {
  await put("a.txt", SECRET, "precious");
  const since = proxy.requests.length;
  const request = { run: runs[1], readData: true };
  const end = await attacked(["verifyBackup", request], FIRST, async (run) => {
    const batches = [await list(run, [{ ...file("a.txt"), source: { length: SECRET.length } }])];
    const source = { id: runs[1], root, container: "precious", prefix: "", include: [], exclude: [] };
    const plan = { ...NOTHING, request, source: { ...source, status: "completed" }, realTo: "", batches };
    await put(`${run}/lists/0.json`, { ...plan, toDo: { files: 1, bytes: 1 } });
  });
  expect(proxy.requests.slice(since).filter(({ container }) => container === "precious")).toEqual([]);
  expect(end).toMatchObject({ runtimeStatus: "Failed", output: expect.stringMatching(CHANGED) as string });
});

describe("a prune", () => {
  const decision = (request: object, more: object = {}) => ({
    version: 1,
    request,
    kept: [],
    forgotten: [],
    staying: [],
    lingering: false,
    records: [],
    manifests: [],
    partitions: 1,
    ...more,
  });
  const marked = { name: "a.txt", size: 1, md5: file("a.txt", "a").md5, run: "a-run-that-is-gone" };

  /** Lists that say that a blob is of a forgotten run, and needed by nobody. */
  async function unneeded(run: string, name: string): Promise<object> {
    const hash = (text: string) => createHash("sha256").update(text).digest().toString("base64", 0, 9);
    const needs = JSON.stringify(`f${hash(name)}${hash("nothing")}`);
    const content = JSON.stringify({ ...marked, name, etag: "*" });
    for (const [list, line] of [
      ["needs-0", needs],
      ["contents-0", content],
    ]) {
      const text = `${line}\n`;
      await put(`${run}/lists/${list}.jsonl`, text);
      await put(`${run}/lists/${list}.json`, {
        ranges: [{ list: `lists/${list}.jsonl`, offset: 0, length: Buffer.byteLength(text) }],
      });
    }
    return await list(run, []);
  }

  it("touches no other container, and nothing in a dry run, because of a decision that was there before", async () => {
    await put("precious", SECRET, "second");
    const request = { container: "good", keepLast: 1, dryRun: true };
    const end = await attacked(["pruneBackups", request], FIRST, async (run) => {
      const manifests = [await unneeded(run, "precious")];
      const forged = { container: "second", prefix: "", keepLast: 1, dryRun: false };
      await put("prunes/second.json", { run, prefix: "" });
      await put(`${run}/decision.json`, decision(forged, { manifests }));
    });
    expect(await names("second")).toEqual(["precious"]);
    expect(end).toMatchObject({ runtimeStatus: "Failed", output: expect.stringMatching(CHANGED) as string });
  });

  it("forgets no run that its policy keeps, because of a decision that was there before", async () => {
    const request = { container: "good", prefix: "", keepLast: 2, dryRun: false };
    const end = await attacked(["pruneBackups", request], FIRST, async (run) => {
      const forgotten = runs.map((id) => ({ id, started: new Date().toISOString(), reasons: [] }));
      await put(`${run}/decision.json`, decision(request, { forgotten }));
    });
    expect(await names("backup-runs")).toEqual(expect.arrayContaining(runs.map((id) => `${id}/run.json`)));
    expect(end).toMatchObject({ runtimeStatus: "Failed", output: expect.stringMatching(CHANGED) as string });
  });

  it("does what it decided when the decision is changed afterwards", async () => {
    const request = { container: "good", keepLast: 1 };
    const end = await attacked(["pruneBackups", request], ["after", /^decision\.json$/], async (run) => {
      const made = await get<object>(`${run}/decision.json`);
      const records = runs.map((id) => ({ id, what: "the record of nothing" }));
      await put(`${run}/decision.json`, { ...made, records });
    });
    expect(await names("backup-runs")).toEqual(expect.arrayContaining(runs.map((id) => `${id}/run.json`)));
    expect(end).toMatchObject({ runtimeStatus: "Failed", output: expect.stringMatching(CHANGED) as string });
  });

  it("deletes no blob without the product's mark, nor one that is not as it was listed", async () => {
    await put("foreign", SECRET, "good");
    for (const name of ["foreign", "a.txt"]) {
      await backup();
      const request = { container: "good", keepLast: 1 };
      await attacked(["pruneBackups", request], ["before", /^lists\/needs-0\.json$/], async (run) => {
        await unneeded(run, name);
      });
      expect(await names("good")).toContain(name);
    }
  });
});
