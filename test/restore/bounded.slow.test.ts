/** No activity of a restore lasts as long as a huge file takes, and no fault of the app passes for damage. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { BlobServiceClient, newPipeline, StorageSharedKeyCredential } from "@azure/storage-blob";
import { expect, test } from "vitest";
import { Drive, startDrive } from "../harness/drive.ts";
import { snapshotOf, temporary, write } from "./tree.ts";

const { azurite, drive } = startDrive();
const MIB = 1024 * 1024;

test("a large file is restored for a bounded time, and then by the next activity", async () => {
  const root = temporary();
  await writeFile(path.join(root, "large"), randomBytes(9 * MIB));
  const { run: source } = await drive.backup({ root });
  const hurried = new Drive(azurite.service, { largeFile: MIB, listMs: 0 });

  const positions: number[] = [];
  hurried.before = (activity, input) => {
    const { progress } = input as { progress?: { position: number } };
    if (activity === "restoreLargeFile" && progress) positions.push(progress.position);
  };
  const to = temporary();
  expect((await hurried.restore({ run: source, to })).tally).toMatchObject({ failures: [] });
  expect(positions).toEqual([0, 8 * MIB]);
  expect(await snapshotOf(to)).toEqual(await snapshotOf(root));
});

test("a fault of the app stops the restore, and is not taken for a damaged record", async () => {
  const root = temporary();
  await write(root, { "d/a": "a" });
  const { run } = await drive.backup({ root });
  const records = azurite.service.getContainerClient("backup-runs");
  for (const faulty of ["run.json", "lists/0.json"]) {
    const restore = new Drive(faultyAt(azurite.service, `${run}/${faulty}`)).restore({
      run,
      to: temporary(),
    });
    expect((await restore).tally.stopped).toBe("a fault of the app");
  }
  expect(await records.getBlobClient(`${run}/run.json`).exists()).toBe(true);
});

test("what is wanted of a folder is found without listing all that is in it, again and again", async () => {
  const root = temporary();
  await write(
    root,
    Object.fromEntries(Array.from({ length: 60 }, (_none, index) => [`d/${index}`, `${index}`])),
  );
  const first = await drive.backup({ root, container: "folder" });
  await write(root, { "d/7": "changed", "d/70": "new" });
  await drive.backup({ root, container: "folder" });
  let lists = 0;
  const paged = new Drive(
    withPages(azurite.connectionString, 5, (url) => (lists += /\/folder\?.*comp=list/.test(url) ? 1 : 0)),
    { behindProxy: true },
  );
  const to = temporary();
  const request = { run: first.run, to, include: ["/d/7", "/d/9"] };
  expect((await paged.restore(request)).tally).toMatchObject({ failures: [], counts: { copied: 2 } });
  expect(await readFile(path.join(to, "d/7"), "utf8")).toBe("7");
  // Of thirteen: five pages, then the two names, then the history of one.
  expect(lists).toBeLessThanOrEqual(8);
});

test("what the slices of a restore all go by is read once", async () => {
  const root = temporary();
  for (let index = 0; index < 12; index++) await write(root, { [`d${index}/file`]: "f" });
  const { run: source } = await new Drive(azurite.service, { listFiles: 2 }).backup({ root });
  const to = temporary();
  for (let index = 0; index < 12; index++) await write(to, { [`d${index}/extra`]: "e" });
  const read = new Map<string, number>();
  const slow = new Drive(
    withPages(azurite.connectionString, 5000, (url) => read.set(url, (read.get(url) ?? 0) + 1)),
    { listMs: 0 },
  );
  const { run, tally, deleted } = await slow.restore({ run: source, to, delete: true });
  expect([tally.failures, deleted]).toEqual([[], 12]);
  const times = (part: string) =>
    [...read].reduce((sum, [url, count]) => sum + (url.includes(part) ? count : 0), 0);
  expect(times(`${run}/deleted/`)).toBeGreaterThan(40);
  // It is looked for and written by the plan, then read by the directories.
  expect(times(`${run}/lists/0.json`)).toBe(3);
});

/** A client that is given so many blobs a page. */
function withPages(
  connectionString: string,
  size: number,
  onRequest: (url: string) => void,
): BlobServiceClient {
  const setting = (name: string) => new RegExp(`${name}=([^;]+)`).exec(connectionString)?.[1] ?? "";
  const key = new StorageSharedKeyCredential(setting("AccountName"), setting("AccountKey"));
  const pipeline = newPipeline(key);
  pipeline.factories.unshift({
    create: (next) => ({
      async sendRequest(request) {
        onRequest(request.url);
        request.url = request.url.replace("maxresults=5000", `maxresults=${size}`);
        return await next.sendRequest(request);
      },
    }),
  });
  return new BlobServiceClient(setting("BlobEndpoint"), pipeline);
}

/** A client in which the app has a fault wherever it reads one blob. */
function faultyAt(service: BlobServiceClient, name: string): BlobServiceClient {
  return new Proxy(service, {
    get(target, key) {
      if (key !== "getContainerClient") return Reflect.get(target, key) as unknown;
      return (of: string) => {
        const container = target.getContainerClient(of);
        const getBlockBlobClient = container.getBlockBlobClient.bind(container);
        container.getBlockBlobClient = (blob) => {
          if (blob === name) throw new TypeError("a fault of the app");
          return getBlockBlobClient(blob);
        };
        return container;
      };
    },
  });
}
