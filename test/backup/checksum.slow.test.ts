/** `checksum` over HTTP: what is compared by its content is sent only where that differs, or what it is. */
import { mkdir, rm, stat, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postBackup } from "../harness/run.ts";
import { startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { bytes, makeFolder, makeTree } from "../harness/tree.ts";

/** Two blocks and a byte. */
const SIZE = 16 * 1024 * 1024 + 1;

let azurite: TestStorage;
let proxy: StorageProxy;
/** Past the proxy. */
let service: BlobServiceClient;
let host: LocalHostProcess;
let root: string;
let sent: number;

beforeAll(async () => {
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  host = await startLocalHost({
    connectionString: proxy.connectionString,
    env: { BACKUP_LARGE_FILE_MIB: "9" },
  });
  root = await makeFolder("checksum");
});
beforeEach(() => {
  proxy.before = () => undefined;
  sent = proxy.requests.length;
});
afterAll(async () => {
  await host?.stop();
  await proxy?.stop();
  await azurite?.stop();
  if (root) await rm(root, { recursive: true });
});

const instance = (id: string) => `${host.url}/runtime/webhooks/durabletask/instances/${id}?code=x`;

async function backUp(tree: string, container: string) {
  const request = { root: tree, container, mode: "incremental", checksum: true };
  return await followRun((await postBackup(host.url, request)).location);
}

/** What was asked of the account to write to a container, since the test began. */
const writesTo = (container: string) =>
  proxy.requests
    .slice(sent)
    .filter((request) => request.container === container && request.method === "PUT" && request.blob !== "")
    .map(({ blob, comp }) => `${blob} ${comp}`);

async function contentsOf(container: string): Promise<string[]> {
  const contents: string[] = [];
  for await (const { name, snapshot, properties } of service
    .getContainerClient(container)
    .listBlobsFlat({ includeSnapshots: true })) {
    contents.push(
      `${name} ${snapshot ? "snapshot " : ""}${Buffer.from(properties.contentMD5!).toString("base64")}`,
    );
  }
  return contents;
}

it("a large file of the same content is unchanged, also when the host is killed as it finds out; else it is copied, and the old content kept", async () => {
  const tree = await makeTree(path.join(root, "large"), { "huge.bin": bytes(SIZE, "old"), small: "small" });
  const file = path.join(tree, "huge.bin");
  expect(await backUp(tree, "large")).toMatchObject({ runtimeStatus: "Completed", output: SIZE + 5 });
  const first = await contentsOf("large");

  sent = proxy.requests.length;
  await utimes(file, 1e9, 1e9);
  let killed: Promise<void> | undefined;
  proxy.before = ({ method, blob }) => {
    if (killed || method !== "PUT" || !blob.endsWith("outcomes/0-large-0000.jsonl")) return undefined;
    killed = host.kill();
    return "drop";
  };
  const { id } = await postBackup(host.url, {
    root: tree,
    container: "large",
    mode: "incremental",
    checksum: true,
  });
  while (!killed) await new Promise((resolve) => setTimeout(resolve, 20));
  await killed;
  host = await host.restart();
  expect(await followRun(instance(id))).toMatchObject({
    runtimeStatus: "Completed",
    output: 0,
    customStatus: { counts: { copied: 0, unchanged: 2, failed: 0, bytes: 0, unchangedBytes: SIZE + 5 } },
  });
  expect(writesTo("large")).toEqual([]);
  expect(await contentsOf("large")).toEqual(first);
  const told = outcomesByPath(await readLedger(service, id)).get("huge.bin");
  expect(told).toMatchObject({ outcome: "unchanged", size: SIZE, mtime: 1e15 });

  await writeFile(file, bytes(SIZE, "new"));
  await utimes(file, 1e9, 1e9);
  expect((await stat(file)).mtimeMs).toBe(1e12);
  expect(await backUp(tree, "large")).toMatchObject({ runtimeStatus: "Completed", output: SIZE });
  const after = await contentsOf("large");
  expect(after).toHaveLength(3);
  expect(after).toContain(first[0]!.replace(" ", " snapshot "));
  expect(after).not.toContain(first[0]);
  const blobs = await readBlobs(service.getContainerClient("large"));
  expect(blobs.get("huge.bin")?.content.equals(bytes(SIZE, "new"))).toBe(true);
});

it("a large file whose blob is of another size is sent without being read for a comparison", async () => {
  const tree = await makeTree(path.join(root, "grown"), { "huge.bin": bytes(10 * 1024 * 1024) });
  await backUp(tree, "grown");
  await writeFile(path.join(tree, "huge.bin"), bytes(11 * 1024 * 1024));
  const { instanceId, output } = await backUp(tree, "grown");
  expect(output).toBe(11 * 1024 * 1024);
  // A comparison is a step of its own.
  const history = await fetch(`${instance(`${instanceId}:0:large-0`)}&showHistory=true`);
  const events = ((await history.json()) as { historyEvents: { FunctionName?: string; EventType: string }[] })
    .historyEvents;
  const steps = events.filter(
    (it) => it.FunctionName === "copyLargeFile" && it.EventType === "TaskCompleted",
  );
  // It, and that there is no other.
  expect(steps).toHaveLength(2);
});

it("what has the same bytes and is something else now is written anew, with the marks of what it is", async () => {
  const tree = await makeTree(path.join(root, "kinds"), {
    "was-file": "",
    "was-directory": { directory: true },
    "was-link": { link: "target" },
    same: { link: "target" },
  });
  await backUp(tree, "kinds");
  for (const name of ["was-file", "was-link"]) await unlink(path.join(tree, name));
  await rm(path.join(tree, "was-directory"), { recursive: true });
  await mkdir(path.join(tree, "was-file"));
  await writeFile(path.join(tree, "was-directory"), "");
  await writeFile(path.join(tree, "was-link"), "target");
  const counts = { copied: 2, unchanged: 1, directories: 1 };
  expect(await backUp(tree, "kinds")).toMatchObject({ runtimeStatus: "Completed", customStatus: { counts } });
  const marks = async () =>
    Object.fromEntries(
      [...(await readBlobs(service.getContainerClient("kinds")))].map(([name, { item }]) => [
        name,
        Object.keys(item.metadata ?? {}).filter((key) => key.startsWith("is_") || key.startsWith("hdi_")),
      ]),
    );
  expect(await marks()).toEqual({
    "was-file": ["hdi_isfolder"],
    "was-directory": [],
    "was-link": [],
    same: ["is_symlink"],
  });
  await unlink(path.join(tree, "was-link"));
  await symlink("target", path.join(tree, "was-link"));
  await backUp(tree, "kinds");
  expect((await marks())["was-link"]).toEqual(["is_symlink"]);
});
