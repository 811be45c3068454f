import type { BlobItem, BlobServiceClient } from "@azure/storage-blob";
import { LEDGER_CONTAINER, RUN_ID } from "../model/names.ts";
import { blobPages } from "../storage/blob-pages.ts";
import { classify } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";
import { readRecord } from "./damaged.ts";
import { Ledger } from "./ledger.ts";
import { readRun, runRecord, type RunRecord } from "./run-record.ts";

/**
 * The index of runs: an empty blob for each, whose name sorts newest first and whose metadata is the run's summary, so that a
 * page of runs is one list call. It repeats `run.json`, which is the record.
 */
export const INDEX_PREFIX = "index/";
/** The largest 13-digit number of milliseconds. Names hold the time left until then, so that they sort newest first. */
const END_OF_TIME = 9_999_999_999_999;
/** Bytes. Blob Storage takes 8 KiB of metadata, names included. */
const MOST_METADATA = 8_000;

/** A run's record without its messages. */
export type RunSummary = Omit<RunRecord, "message" | "warnings" | "comparedWith">;

/** The name of a run's blob in the index. It never changes. */
export function indexName({ id, started }: Pick<RunRecord, "id" | "started">): string {
  const left = END_OF_TIME - Date.parse(started);
  return `${INDEX_PREFIX}${String(left).padStart(13, "0")}-${id}`;
}

/** The run of a blob in the index, and when it started; undefined if the name is not one of the index's. */
export function readIndexName(name: string): { id: string; started: number } | undefined {
  const [, left, id] = /^index\/(\d{13})-(.+)$/.exec(name) ?? [];
  return left === undefined || id === undefined || !RUN_ID.test(id)
    ? undefined
    : { id, started: END_OF_TIME - Number(left) };
}

/**
 * Writes a run's record to the index.
 * @param first "first" writes only if there is none yet, so that a run's beginning does not hide its end
 */
export async function indexRun(
  service: BlobServiceClient,
  record: RunRecord,
  first: "first" | "again",
): Promise<void> {
  const { message: _message, warnings: _warnings, comparedWith: _comparedWith, ...summary } = record;
  // Base64, because metadata are HTTP headers, and paths may hold anything.
  const encoded = Buffer.from(JSON.stringify(summary satisfies RunSummary)).toString("base64");
  // If a long path does not fit, readers of the index read the record instead.
  const metadata: Record<string, string> =
    encoded.length > MOST_METADATA ? { long: "true" } : { summary: encoded };
  const blob = service.getContainerClient(LEDGER_CONTAINER).getBlockBlobClient(indexName(record));
  try {
    await withRetries((abortSignal) =>
      blob.upload("", 0, {
        abortSignal,
        metadata,
        ...(first === "first" ? { conditions: { ifNoneMatch: "*" } } : {}),
      }),
    );
  } catch (error) {
    if (first === "first" && classify(error) === "conflict") return;
    throw error;
  }
}

/** All runs of the index, newest first. A summary that cannot be read is undefined. */
export async function* indexedRuns(
  service: BlobServiceClient,
): AsyncGenerator<{ id: string; summary: RunSummary | undefined }> {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  for await (const { blobs } of blobPages(container, { prefix: INDEX_PREFIX, includeMetadata: true })) {
    for (const blob of blobs) {
      const entry = readIndexName(blob.name);
      if (entry) yield { id: entry.id, summary: readSummary(blob) };
    }
  }
}

/** The summary in a blob of the index; undefined if it cannot be read. */
export function readSummary({ metadata }: Pick<BlobItem, "metadata">): RunSummary | undefined {
  try {
    const text = Buffer.from(metadata?.["summary"] ?? "", "base64").toString("utf8");
    return readRecord<RunSummary>(text, runRecord, "index");
  } catch {
    return undefined;
  }
}

/** The ids of all runs that have a folder in the ledger, even if the index of runs lacks them. */
export async function* runFolders(service: BlobServiceClient): AsyncGenerator<string> {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  let continuationToken: string | undefined;
  do {
    const token = continuationToken;
    let page;
    try {
      page = await withRetries((abortSignal) =>
        container
          .listBlobsByHierarchy("/", { abortSignal })
          .byPage({ maxPageSize: 5000, ...(token ? { continuationToken: token } : {}) })
          .next(),
      );
    } catch (error) {
      if (classify(error) === "missing") return;
      throw error;
    }
    if (page.done) return;
    for (const { name } of page.value.segment.blobPrefixes ?? []) {
      const folder = name.slice(0, -1);
      // Other folders are the index and the like, or not the app's.
      if (RUN_ID.test(folder)) yield folder;
    }
    continuationToken = page.value.continuationToken || undefined;
  } while (continuationToken);
}

/** The runs that have not ended, by the index of runs: a list call per 5,000 runs. */
export async function runningRuns(service: BlobServiceClient): Promise<RunSummary[]> {
  const running: RunSummary[] = [];
  for await (const { id, summary } of indexedRuns(service)) {
    const run = summary ?? (await readRun(new Ledger(service, id)));
    if (run?.status === "running") running.push(run);
  }
  return running;
}

/** The ids of backups that restores and verifications are reading. */
export async function runsBeingRead(service: BlobServiceClient): Promise<Set<string>> {
  const running = await runningRuns(service);
  return new Set(running.flatMap(({ of }) => (of === undefined ? [] : [of])));
}
