/** `site-backup storage`: other tools reach what the local host keeps, by what it says. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";
import { objects } from "./command.ts";
import { here } from "./here.ts";

let host: LocalHostProcess;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await makeFolder("cli-storage");
  host = await startLocalHost({ entry: "build", connectionString: "own" });
  env = { FUNCTIONS_PORT: new URL(host.url).port, LOCAL_HOST_STATE: host.state };
  const root = await makeTree(path.join(folder, "tree"), { "a.txt": "hello" });
  await here(["backup", root, "--quiet"], { env });
});
afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

const hasRclone = spawnSync("rclone", ["version"]).status === 0;

describe("storage", () => {
  it("gives a connection string, alone with --quiet, and a SAS to read by", async () => {
    const { code, stdout } = await here(["storage", "--json"], { env });
    expect(code).toBe(0);
    const { connectionString, endpoint, sas } = objects(stdout)[0] as Record<string, string>;
    const service = BlobServiceClient.fromConnectionString(connectionString ?? "");
    const content = await service.getContainerClient("backups").getBlobClient("a.txt").downloadToBuffer();
    expect(content.toString()).toBe("hello");
    const url = new URL(`${endpoint}/backups/a.txt?${sas}`);
    expect(await (await fetch(url)).text()).toBe("hello");
    expect((await fetch(url, { method: "DELETE" })).status).toBe(403);
    expect((await here(["storage", "--quiet"], { env })).stdout).toBe(`${connectionString}\n`);
  });

  it.skipIf(!hasRclone)("has lines for rclone that work as they stand", async () => {
    const { stdout } = await here(["storage"], { env });
    const lines = stdout.split("\n").filter((line) => /^ {2}(export RCLONE|rclone )/.test(line));
    expect(spawnSync("sh", ["-ec", lines.join("\n")], { cwd: folder, encoding: "utf8" })).toMatchObject({
      status: 0,
    });
    expect(readFileSync(path.join(folder, "copy", "a.txt"), "utf8")).toBe("hello");
  });

  it("says where it comes from when there is none", async () => {
    const { code, stderr } = await here(["storage"], { env: { LOCAL_HOST_STATE: folder } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/no storage.*\bnpm start\b/);
  });
});
