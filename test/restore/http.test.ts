import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { snapshotOf, temporary, write } from "./tree.ts";

let host: LocalHostProcess;

beforeAll(async () => {
  host = await startLocalHost();
});
afterAll(async () => {
  await host?.stop();
});

async function post(name: string, body: unknown) {
  return await fetch(`${host.url}/orchestrators/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Starts an orchestrator and waits for its end. */
async function run(name: string, body: unknown) {
  const response = await post(name, body);
  if (response.status !== 202) throw new Error(await response.text());
  const { id, statusQueryGetUri } = (await response.json()) as { id: string; statusQueryGetUri: string };
  for (;;) {
    const answer = await fetch(statusQueryGetUri.replace("localhost", "127.0.0.1"));
    const status = (await answer.json()) as { runtimeStatus: string; output: unknown; customStatus: unknown };
    if (answer.status !== 202) return { id, ...status };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("a backup, a change, a backup, a restore of the first, and verifications", async () => {
  const root = temporary();
  await write(root, { a: "one", "d/b": "two", "d/e/c": "three" });
  const before = await snapshotOf(root);
  const first = await run("backupSiteContent", { root });
  expect(first).toMatchObject({ runtimeStatus: "Completed", output: 11 });
  await writeFile(path.join(root, "a"), "changed");
  await run("backupSiteContent", { root, mode: "incremental" });

  const to = path.join(temporary(), "made/by/the/restore");
  const restored = await run("restoreSiteContent", { run: first.id, to });
  expect(restored).toMatchObject({ runtimeStatus: "Completed", output: 11 });
  expect(restored.customStatus).toMatchObject({ phase: "completed", counts: { copied: 3, bytes: 11 } });
  expect(await snapshotOf(to)).toEqual(before);
  expect(await run("restoreSiteContent", { at: new Date().toISOString(), to, delete: true })).toMatchObject({
    runtimeStatus: "Completed",
    output: 7,
  });
  expect(await readFile(path.join(to, "a"), "utf8")).toBe("changed");
  expect(await run("verifyBackup", { run: first.id, readData: true })).toMatchObject({
    runtimeStatus: "Completed",
    output: 3,
  });
  const problem = await run("restoreSiteContent", { run: first.id, to, overwrite: "never" });
  expect(problem).toMatchObject({ runtimeStatus: "Completed", output: 0 });
});

test("what is extra goes last, and only when all else is restored; what is in the way goes first", async () => {
  const [root, to] = [temporary(), temporary()];
  await write(root, {
    "was-directory": "now a file",
    "was-file/x": "now in a directory",
    lost: "lost",
    a: "a",
  });
  const container = `last-${randomUUID()}`;
  const backup = await run("backupSiteContent", { root, container });
  await write(to, { "was-directory/below/x": "x", "was-file": "x", extra: "extra", "extras/y": "y" });
  const blobs = BlobServiceClient.fromConnectionString(host.connectionString).getContainerClient(container);
  await blobs.deleteBlob("lost");

  const request = { run: backup.id, to, delete: true };
  const failed = await run("restoreSiteContent", request);
  expect(failed.runtimeStatus).toBe("Failed");
  expect(failed.output).toMatch(/1 of 4 files failed.*extra files were kept/);
  const half = ["a", "extra", "extras/y", "was-directory", "was-file/x"];
  expect([...(await snapshotOf(to)).keys()]).toEqual(half);

  await run("backupSiteContent", { root, container });
  expect((await run("restoreSiteContent", { ...request, dryRun: true })).runtimeStatus).toBe("Completed");
  expect([...(await snapshotOf(to)).keys()]).toEqual(half);
  expect((await run("restoreSiteContent", request)).runtimeStatus).toBe("Completed");
  expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
});

test.each([
  ["run.json", "Failed"],
  // A policy goes by the summary: that of which this version knows all lets the run go.
  ["lists/0.json", "Completed"],
])(
  "a run whose %s is of a newer version is refused by name, to prune it %s; other runs continue",
  async (name, prunes) => {
    const root = temporary();
    await write(root, { a: "one", "d/b": "two" });
    const container = `newer-${randomUUID()}`;
    const { id } = await run("backupSiteContent", { root, container });
    const other = await run("backupSiteContent", { root, container, mode: "incremental" });
    const record = BlobServiceClient.fromConnectionString(host.connectionString)
      .getContainerClient("backup-runs")
      .getBlockBlobClient(`${id}/${name}`);
    const text = (await record.downloadToBuffer()).toString();
    const newer = text.replace('"version":1', '"version":2');
    await record.upload(newer, newer.length);
    const to = temporary();
    const refusal = new RegExp(` ${id} .*newer version`);
    for (const [orchestrator, body] of [
      ["restoreSiteContent", { run: id, to }],
      ["verifyBackup", { run: id }],
    ] as const) {
      const answer = await post(orchestrator, body);
      expect(answer.status).toBe(404);
      expect(((await answer.json()) as { detail: string }).detail).toMatch(refusal);
    }
    const pruned = await run("pruneBackups", { container, keepLast: 1 });
    expect(pruned.runtimeStatus, String(pruned.output)).toBe(prunes);
    expect(refusal.test(String(pruned.output))).toBe(prunes === "Failed");
    await run("restoreSiteContent", { run: other.id, to });
    expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
    expect(await run("verifyBackup", { run: other.id })).toMatchObject({ runtimeStatus: "Completed" });
    // The other tests prune in the same account.
    await record.upload(text, text.length);
  },
);

test("of a time: the newest run that backed something up, or a refusal that names it", async () => {
  const root = temporary();
  const container = `at-${randomUUID()}`;
  await write(root, { a: "one" });
  await run("backupSiteContent", { root, container });
  const away = `${root}-away`;
  await rename(root, away);
  expect(await run("backupSiteContent", { root, container })).toMatchObject({ runtimeStatus: "Failed" });
  const restored = async () => {
    const to = temporary();
    const ended = await run("restoreSiteContent", { at: new Date().toISOString(), container, to });
    expect(ended.runtimeStatus, String(ended.output)).toBe("Completed");
    return await readFile(path.join(to, "a"), "utf8");
  };
  expect(await restored()).toBe("one");

  await rename(away, root);
  await write(root, { a: "two!" });
  const newest = await run("backupSiteContent", { root, container });
  const other = await run("backupSiteContent", { root, container: `${container}-other` });
  const recordOf = ({ id }: { id: string }) =>
    BlobServiceClient.fromConnectionString(host.connectionString)
      .getContainerClient("backup-runs")
      .getBlockBlobClient(`${id}/run.json`);
  const record = recordOf(newest);
  const text = (await record.downloadToBuffer()).toString();
  await record.upload(text.slice(0, 40), 40);
  const otherText = (await recordOf(other).downloadToBuffer()).toString();
  const newer = (old: string) => old.replace('"version":1', '"version":2');
  await recordOf(other).upload(newer(otherText), otherText.length);
  expect(await restored()).toBe("two!");

  await record.upload(newer(text), text.length);
  const body = { at: new Date().toISOString(), container, to: temporary() };
  const answer = await post("restoreSiteContent", body);
  expect(answer.status).toBe(404);
  const { detail } = (await answer.json()) as { detail: string };
  expect(detail).toMatch(new RegExp(` ${newest.id} .*newer version`));
  // The other tests prune in the same account.
  await record.upload(text, text.length);
  await recordOf(other).upload(otherText, otherText.length);
});

test.each([
  ["restoreSiteContent", "text", 400, "a JSON object"],
  ["restoreSiteContent", { to: "/x" }, 400, '"at"'],
  ["restoreSiteContent", { run: "r", to: "relative" }, 400, '"to": '],
  ["restoreSiteContent", { run: "r", to: "/x", prefix: "p" }, 400, 'go with "at"'],
  ["restoreSiteContent", { at: "yesterday", to: "/x" }, 400, '"at": '],
  ["restoreSiteContent", { run: "r", to: "/x", overwrite: "maybe" }, 400, '"overwrite"'],
  ["restoreSiteContent", { run: "r", to: "/x", force: true }, 400, '"force"'],
  ["restoreSiteContent", { run: "0".repeat(32), to: "/x" }, 404, ` ${"0".repeat(32)} `],
  ["verifyBackup", { run: "../x" }, 400, '"run"'],
  ["verifyBackup", { run: "r", readData: "500%" }, 400, "5%"],
  ["verifyBackup", { run: "0".repeat(32) }, 404, ` ${"0".repeat(32)} `],
])("%s of %j is answered %i", async (name, body, status, detail) => {
  const response = await post(name, body);
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(((await response.json()) as { detail: string }).detail).toContain(detail);
});
