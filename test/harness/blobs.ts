/** Reads what a backup left in the storage account, and compares it with the tree it came from. */
import { isOfDirectories } from "../../src/ledger/names.ts";
import { createHash } from "node:crypto";
import type { BlobItem, BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { expect } from "vitest";
import type { Packed } from "../../src/model/packed.ts";
import { expectNoSecrets, usedSecrets } from "./secrets.ts";
import type { FileOnDisk } from "./tree.ts";

export interface StoredBlob {
  content: Buffer;
  item: BlobItem;
}

/** What a blob that a list names holds. Its length is known: one request instead of two. */
export async function contentOf(
  container: ContainerClient,
  { name, properties: { contentLength = 0 } }: BlobItem,
): Promise<Buffer> {
  if (contentLength === 0) return Buffer.alloc(0);
  return await container.getBlobClient(name).downloadToBuffer(0, contentLength);
}

/**
 * All blobs below a prefix, by name without it, in the order of their names.
 * @param run only those that this run wrote
 */
export async function readBlobs(
  container: ContainerClient,
  prefix = "",
  run?: string,
): Promise<Map<string, StoredBlob>> {
  const items: BlobItem[] = [];
  const options = { includeMetadata: true, ...(prefix === "" ? {} : { prefix: `${prefix}/` }) };
  for await (const item of container.listBlobsFlat(options)) {
    if (run === undefined || item.metadata?.["run"] === run) items.push(item);
  }
  const found: [string, StoredBlob][] = [];
  // A few at a time: a thousand downloads one after the other take longer than the backup.
  const queue = [...items];
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
        const content = await contentOf(container, item);
        found.push([prefix === "" ? item.name : item.name.slice(prefix.length + 1), { content, item }]);
      }
    }),
  );
  return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Every file is a blob and every blob is a file, byte for byte, with hash, time, mode and the run that wrote it. */
export function expectSameTree(
  blobs: Map<string, StoredBlob>,
  tree: Map<string, FileOnDisk>,
  run: string,
): void {
  expect([...blobs.keys()].sort()).toEqual([...tree.keys()].sort());
  for (const [name, file] of tree) {
    const { content, item } = blobs.get(name)!;
    expect(content.equals(file.content), `content of ${name}`).toBe(true);
    const md5 = createHash("md5").update(file.content).digest("base64");
    expect(Buffer.from(item.properties.contentMD5 ?? []).toString("base64"), `MD5 of ${name}`).toBe(md5);
    expect(item.metadata, `metadata of ${name}`).toEqual({
      mtime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      ctime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      path: createHash("sha256").update(name).digest("base64url").slice(0, 22),
      root: expect.stringMatching(/^[\w-]{22}$/),
      mode: file.mode.toString(8).padStart(4, "0"),
      run,
      ...(file.kind === "link" ? { is_symlink: "true" } : {}),
      ...(file.kind === "directory" ? { hdi_isfolder: "true" } : {}),
    });
    const mtime = Date.parse(item.metadata?.["mtime"] ?? "");
    expect(Math.abs(mtime - file.mtimeMs), `mtime of ${name}`).toBeLessThan(2);
  }
}

/** One line of a run's outcomes. */
export interface OutcomeLine {
  path: string;
  outcome: "copied" | "unchanged" | "vanished" | "skipped" | "failed";
  kind: string;
  size: number;
  reason?: string;
  /** Where the content is, in the layout `packs`. */
  packed?: Packed;
}

export interface RunLedger {
  run: Record<string, unknown>;
  /** The names of the blobs, without the run's folder. */
  names: string[];
  outcomes: OutcomeLine[];
  /** The sum of the counts in the metadata of the outcomes' blobs. */
  counts: Record<string, number>;
}

/** The record that a run left in the container `backup-runs`. */
export async function readLedger(service: BlobServiceClient, runId: string): Promise<RunLedger> {
  const container = service.getContainerClient("backup-runs");
  const ledger: RunLedger = { run: {}, names: [], outcomes: [], counts: {} };
  for await (const item of container.listBlobsFlat({ prefix: `${runId}/`, includeMetadata: true })) {
    const name = item.name.slice(runId.length + 1);
    ledger.names.push(name);
    if (name !== "run.json" && (!name.startsWith("outcomes/") || isOfDirectories(name))) continue;
    const text = (await contentOf(container, item)).toString("utf8");
    expectNoSecrets(item.name, text, usedSecrets());
    if (name === "run.json") {
      ledger.run = JSON.parse(text) as Record<string, unknown>;
      continue;
    }
    for (const line of text.split("\n")) {
      if (line !== "") ledger.outcomes.push(JSON.parse(line) as OutcomeLine);
    }
    for (const [key, value] of Object.entries(item.metadata ?? {})) {
      if (key === "first" || key === "last") continue;
      ledger.counts[key] = (ledger.counts[key] ?? 0) + Number(value);
    }
  }
  return ledger;
}

/** The outcomes by path; fails when a path has more than one. */
export function outcomesByPath({ outcomes }: RunLedger): Map<string, OutcomeLine> {
  const byPath = new Map<string, OutcomeLine>();
  for (const outcome of outcomes) {
    expect(byPath.get(outcome.path), `a second outcome of ${outcome.path}`).toBeUndefined();
    byPath.set(outcome.path, outcome);
  }
  return byPath;
}
