/** Patterns and names that are made to cost time: they cost no more than their length. */
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
  ["too many", Array.from({ length: 257 }, String), "at most 256 patterns"],
  ["too long", ["x".repeat(1025)], "a pattern has at most 1,024 characters"],
  ["too long together", Array.from({ length: 17 }, () => "x".repeat(1000)), "at most 16,384 characters"],
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
