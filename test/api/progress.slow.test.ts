/** What it costs to look at a run in progress. */
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LEDGER_CONTAINER } from "../../src/model/names.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { isWrite, startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { makeFolder, makeTree, manyFiles } from "../harness/tree.ts";
import { RecordsHost } from "./host.ts";

let azurite: TestStorage;
let proxy: StorageProxy;
let host: RecordsHost;
let root: string;
beforeAll(async () => {
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  root = await makeTree(await makeFolder("progress"), manyFiles(300));
  // Parts of a hundred files, each with a list and records of its own.
  host = await RecordsHost.start({ BACKUP_LIST_FILES: "100" }, proxy.connectionString);
});
afterAll(async () => {
  await host?.process.stop();
  await proxy?.stop();
  await azurite?.stop();
  if (root) rmSync(root, { recursive: true, force: true });
});

test("is one list of its ledger, whatever it holds", async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  let written = 0;
  proxy.before = (request) =>
    request.container === "destination" && isWrite(request) && ++written > 200 ? released : undefined;
  const id = await host.start({ root, container: "destination" });
  // All that can continue without the blobs that wait has been done.
  for (let last = -1; written <= 200 || proxy.requests.length !== last;) {
    last = proxy.requests.length;
    await sleep(500);
  }

  const before = proxy.requests.length;
  const run = await host.run(id);
  const asked = proxy.requests.slice(before);
  expect(run).toMatchObject({ status: "running", progress: { listed: { files: 300, complete: true } } });
  expect(run.progress?.settled.files).toBeGreaterThan(0);
  expect(asked.filter(({ comp }) => comp === "list")).toMatchObject([{ container: LEDGER_CONTAINER }]);
  // And its record.
  expect(asked.filter(({ comp }) => comp !== "list")).toMatchObject([
    { method: "GET", blob: `${id}/run.json` },
  ]);

  release();
  expect((await host.ended(id)).counts).toMatchObject({ copied: 300 });
});
