/** A file of many blocks, there and back. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { readBlobs } from "../harness/blobs.ts";
import { bytes, readTree } from "../harness/tree.ts";
import {
  ask,
  backUp,
  expectHeld,
  expectProblem,
  get,
  inFiles,
  newContainer,
  newRoot,
  service,
  type Status,
} from "./client.ts";

const SIZE = 300 * 1024 * 1024;
/** Of a file of three blocks. */
const OTHER_SIZE = 20 * 1024 * 1024;
const container = newContainer();
const { pid } = inject("hostUnderTest");
const isSeen = pid !== undefined && process.platform === "linux";

let root: string;
let md5: string;
/** The last bytes of it. */
let end: Buffer;
let status: Status;
beforeAll(async () => {
  root = await newRoot();
  const content = bytes(SIZE);
  md5 = createHash("md5").update(content).digest("base64");
  end = Buffer.from(content.subarray(-1000));
  await writeFile(path.join(root, "dump.sql"), content);
  await writeFile(path.join(root, "other.sql"), bytes(OTHER_SIZE, "other"));
  status = await backUp({ root, container: container.containerName });
});

it("a file of 300 MiB, by blocks or by chunks", async () => {
  expect(status).toMatchObject({ runtimeStatus: "Completed", output: SIZE + OTHER_SIZE });
  const blocks = async () =>
    (await container.getBlockBlobClient("dump.sql").getBlockList("committed")).committedBlocks?.length;
  const chunks = async () => (await readBlobs(container, "chunks")).size;
  expect(await (inFiles ? blocks() : chunks())).toBeGreaterThan(10);
  await expectHeld(status.instanceId, await readTree(root), container);
});

describe("its download", () => {
  const download = (init?: RequestInit, file = "dump.sql") =>
    ask(`/backups/${status.instanceId}/content?path=${file}`, init);

  it("is whole, though the client stops for a while; meanwhile the app answers others, and its memory stays bounded", async () => {
    const before = memory();
    let most = before;
    const answer = await download();
    expect([answer.status, answer.headers.get("content-length")]).toEqual([200, String(SIZE)]);
    const hash = createHash("md5");
    let length = 0;
    const reader = answer.body?.getReader();
    let piece = await reader?.read();
    await sleep(3000);
    expect(await get(`/backups/${status.instanceId}`)).toMatchObject({ status: "completed" });
    const other = await backUp({ root: await newRoot(), container: newContainer().containerName });
    expect(other).toMatchObject({ runtimeStatus: "Completed", output: 0 });
    for (; piece?.value; piece = await reader?.read()) {
      hash.update(piece.value);
      length += piece.value.length;
      most = Math.max(most, memory());
    }
    expect([length, hash.digest("base64")]).toEqual([SIZE, md5]);
    expect(answer.headers.get("etag")).toMatch(inFiles ? `"${md5}"` : /^"chunks-[\w+/]{43}="$/);
    expect(most - before).toBeLessThan(SIZE / 2);
  });

  it("ends in the app when the client leaves, and can be gone on with", async () => {
    const abort = new AbortController();
    const before = bytesRead();
    const answer = await download({ signal: abort.signal });
    const etag = answer.headers.get("etag") ?? "";
    await answer.body?.getReader().read();
    abort.abort();
    await expect.poll(connectionsToStorage, { timeout: 15_000, interval: 200 }).toBe(0);
    expect(bytesRead() - before).toBeLessThan(SIZE / 2);
    const rest = await download({ headers: { range: `bytes=${SIZE - end.length}-`, "if-range": etag } });
    expect([rest.status, rest.headers.get("content-range")]).toEqual([
      206,
      `bytes ${SIZE - end.length}-${SIZE - 1}/${SIZE}`,
    ]);
    expect(Buffer.from(await rest.arrayBuffer()).equals(end)).toBe(true);
  });

  it.runIf(inFiles)("does not look whole if the content is another", async () => {
    const blob = container.getBlockBlobClient("other.sql");
    const { contentMD5 } = await blob.getProperties();
    const { committedBlocks = [] } = await blob.getBlockList("committed");
    const names = committedBlocks.map(({ name }) => name);
    // The same blocks, the first two exchanged.
    await blob.commitBlockList([names[1]!, names[0]!, ...names.slice(2)], {
      blobHTTPHeaders: { blobContentMD5: contentMD5 },
    });
    const answer = await download({}, "other.sql");
    expect(answer.status).toBe(200);
    // Without its bytes, which would be printed.
    const whole = answer.arrayBuffer().then(() => "whole");
    await expect(whole).rejects.toThrow("terminated");
    await blob.delete();
    await expectProblem(await download({}, "other.sql"), 410, /blob is missing/);
  });
});

/** Bytes of the host's memory; 0 where that cannot be seen. */
function memory(): number {
  if (!isSeen) return 0;
  const [, kib = ""] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

/** Bytes that the host has read; 0 where that cannot be seen. */
function bytesRead(): number {
  if (!isSeen) return 0;
  return Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
}

/** Connections that the host has to the storage; 0 where that cannot be seen. */
function connectionsToStorage(): number {
  if (!isSeen) return 0;
  const storage = Number(new URL(service.url).port).toString(16).toUpperCase().padStart(4, "0");
  const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      // Closed meanwhile.
      return "";
    }
  });
  const connections = readFileSync(`/proc/${pid}/net/tcp`, "utf8")
    .split("\n")
    .map((each) => each.trim().split(/\s+/));
  return connections.filter(
    ([, , remote = "", , , , , , , inode]) =>
      remote.endsWith(`:${storage}`) && sockets.includes(`socket:[${inode}]`),
  ).length;
}
