/** Patterns and names that are made to cost time: they cost no more than their length, and hold up nobody. */
import { rmSync } from "node:fs";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postBackup, postRun } from "../harness/run.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";
import { forgeRun } from "../restore/forge.ts";

let host: LocalHostProcess;
let folder: string;
beforeAll(async () => {
  folder = await makeFolder("hostile-patterns");
  host = await startLocalHost();
});
afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("a name on which a pattern would backtrack for ever is matched at once", async () => {
  const names = { ["a".repeat(48)]: "1", ["-".repeat(250)]: "2", "sub/a.log": "3" };
  const root = await makeTree(path.join(folder, "names"), names);
  const exclude = ["*(*a*)b", "*-*-*-*-*.log", "**/**/**/**/**/*a*a*a*a*/b"];
  const backup = await postBackup(host.url, { root, container: "names", exclude });
  expect((await followRun(backup.location)).output).toBe(3);
  const request = { run: backup.id, to: path.join(folder, "back"), exclude };
  const restored = await postRun(host.url, "restoreSiteContent", request);
  expect((await followRun(restored.location)).output).toBe(3);
});

it.each([
  ["too many", Array.from({ length: 257 }, String), "256 patterns"],
  ["too long", ["x".repeat(1025)], "1,024 characters"],
  ["too long together", Array.from({ length: 17 }, () => "x".repeat(1000)), "16,384 characters"],
])("patterns that are %s are refused with the limit", async (_what, patterns, limit) => {
  for (const field of ["include", "exclude"]) {
    for (const [orchestrator, request] of [
      ["backupSiteContent", { root: folder }],
      ["restoreSiteContent", { run: "0123456789abcdef0123456789abcdef", to: folder }],
    ] as const) {
      const refused = postRun(host.url, orchestrator, { ...request, [field]: patterns });
      await expect(refused).rejects.toThrow(new RegExp(`^400 .*${field}.*${limit}`));
    }
  }
});

it("while a directory's names take long to match, questions, a cancel and SIGTERM are answered", async () => {
  const names = Array.from({ length: 6_000 }, (_none, index) => [`${"a".repeat(240)}${index}`, ""]);
  const root = await makeTree(path.join(folder, "long"), Object.fromEntries(names) as Record<string, string>);
  const own = await startLocalHost();
  let code: number | null;
  try {
    const include = Array.from({ length: 16 }, () => "*a".repeat(500));
    const { id } = await postBackup(own.url, { root, container: "long", include });
    const ask = async (what = "", method = "GET") => {
      const answer = await fetch(`${own.url}/backups/${id}${what}`, { method });
      return ((await answer.json()) as { status: string }).status;
    };
    // Once the matching has ended, so has the run.
    for (let asked = 0; asked < 4; asked++) expect(await ask()).toBe("running");
    expect(await ask("/cancel", "POST")).toBe("canceled");
  } finally {
    code = await own.stop();
  }
  // Not null: it did not have to be killed.
  expect(code).toBe(0);
}, 120_000);

it("a forged record with more is damaged, and nothing is matched with it", async () => {
  const service = BlobServiceClient.fromConnectionString(host.connectionString);
  const run = await forgeRun(service, [{ path: "a", content: "a" }]);
  const listing = service.getContainerClient("backup-runs").getBlockBlobClient(`${run}/lists/0.json`);
  const record = JSON.parse((await listing.downloadToBuffer()).toString()) as { request: object };
  const forged = { ...record, request: { ...record.request, exclude: ["*a".repeat(1000)] } };
  const body = JSON.stringify(forged);
  await listing.upload(body, body.length);
  const to = await makeTree(path.join(folder, "kept"), { ["a".repeat(200)]: "kept" });
  const { location } = await postRun(host.url, "restoreSiteContent", { run, to, delete: true });
  const { runtimeStatus, output } = await followRun(location);
  expect({ runtimeStatus, output }).toMatchObject({
    runtimeStatus: "Failed",
    output: expect.stringMatching(/lists\/0\.json.*damaged.*at most 1,024 characters/) as unknown,
  });
});
