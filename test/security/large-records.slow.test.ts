/** Records that somebody made as large as they like: named as damaged, unread, and no matter to any other run. */
import { rm } from "node:fs/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postRun } from "../harness/run.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";

/** Bytes; a summary has 10 KiB. */
const LARGE = 8 * 1024 * 1024;

let host: LocalHostProcess;
let ledgers: ReturnType<BlobServiceClient["getContainerClient"]>;
let root: string;

beforeAll(async () => {
  host = await startLocalHost();
  ledgers = BlobServiceClient.fromConnectionString(host.connectionString).getContainerClient("backup-runs");
  root = await makeTree(await makeFolder("large-records"), { a: "a" });
});
afterAll(async () => {
  await host?.stop();
  await rm(root, { recursive: true, force: true });
});

const get = async (path: string) => {
  const response = await fetch(`${host.url}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

async function run(orchestrator: string, body: unknown) {
  const { id, location } = await postRun(host.url, orchestrator, body);
  return { id, ...(await followRun(location)) };
}

/** Writes a record that is right but for a field that nobody asked for. */
async function enlarge(name: string): Promise<void> {
  const blob = ledgers.getBlockBlobClient(name);
  const record = JSON.parse((await blob.downloadToBuffer()).toString()) as object;
  const text = JSON.stringify({ ...record, more: "x".repeat(LARGE) });
  await blob.upload(text, text.length);
}

it("a run's summary of 8 MiB is named and not read; the list, other runs and a prune continue", async () => {
  const container = "large-summary";
  const large = await run("backupSiteContent", { root, container });
  const other = await run("backupSiteContent", { root, container });
  await enlarge(`${large.id}/run.json`);

  const { status, body } = await get(`/backups/${large.id}`);
  expect(status).toBe(502);
  expect(body["detail"]).toContain(`${large.id}/run.json is damaged`);
  const list = await get("/backups");
  expect(list.status).toBe(200);
  expect((list.body["runs"] as { id: string }[]).map(({ id }) => id)).toContain(other.id);
  // What it needs is known by its listing: it is not one that needs nothing.
  const pruned = await run("pruneBackups", { container, keepLast: 1 });
  expect(pruned).toMatchObject({ runtimeStatus: "Completed" });
  expect((await get(`/backups/${other.id}`)).status).toBe(200);
});

it("a run with neither a summary nor a listing that can be read stays, with all that its outcomes name", async () => {
  const container = "large-both";
  const large = await run("backupSiteContent", { root, container });
  await run("backupSiteContent", { root, container });
  await enlarge(`${large.id}/run.json`);
  await enlarge(`${large.id}/lists/0.json`);
  const outcomes = ledgers.getBlobClient(`${large.id}/outcomes/0-0000.jsonl`);
  expect(await run("pruneBackups", { container, keepLast: 1 })).toMatchObject({ runtimeStatus: "Completed" });
  expect(await outcomes.exists()).toBe(true);
});

it("a line that is longer than any outcome costs itself alone", async () => {
  const container = "large-line";
  const { id } = await run("backupSiteContent", { root, container });
  const blob = ledgers.getBlockBlobClient(`${id}/outcomes/0-0000.jsonl`);
  const line = (await blob.downloadToBuffer()).toString();
  const text = `${line}${JSON.stringify({ ...(JSON.parse(line) as object), path: "b".repeat(100_000) })}\n`;
  await blob.upload(text, text.length);
  const verified = await run("verifyBackup", { run: id });
  expect(verified.runtimeStatus).toBe("Failed");
  expect(verified.output).toContain("line 2 has more than");
});
