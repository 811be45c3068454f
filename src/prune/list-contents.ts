import type { BlobItem } from "@azure/storage-blob";
import { z } from "zod";
import { readMarks } from "../store/files/blob-headers.ts";
import { emptyTally } from "../model/outcome.ts";
import { historyPages } from "../storage/blob-pages.ts";
import { readSorted, Sorter } from "./sorted.ts";
import type { Prune, SliceResult } from "./step.ts";

/** Blobs, snapshots and versions that one slice lists: some 20 list calls. */
const MOST = 100_000;

/** One content that the destination holds: a blob as it is, or a snapshot or version of it. */
export interface Content {
  name: string;
  /** Bytes. */
  size: number;
  /** Base64; absent where it has none. */
  md5?: string;
  /** The run that wrote it; absent where it has not the marks of one. */
  run?: string;
  /** Set for what the blob is now: with what it takes to delete exactly that. */
  etag?: string;
  snapshot?: string;
  versionId?: string;
}

const line = z.looseObject({
  name: z.string().min(1),
  size: z.number().min(0),
  md5: z.string().optional(),
  run: z.string().optional(),
  etag: z.string().optional(),
  snapshot: z.string().optional(),
  versionId: z.string().optional(),
});

interface Next {
  /** The marker that the next slice begins at; absent when there is none. */
  next?: string;
}

/** Lists some of what the destination holds, sorted by partition, each in the order of names. One lane. */
export async function listContents(
  { ledger, scope, decision }: Prune,
  _lane: number,
  slice: number,
): Promise<SliceResult> {
  const { container: name, prefix } = scope;
  const list = nameOf(slice);
  const before = await readSorted<Next>(ledger, list);
  if (before) return { tally: emptyTally(), done: before.next === undefined };
  const from = slice === 0 ? undefined : (await readSorted<Next>(ledger, nameOf(slice - 1)))?.next;
  if (slice > 0 && from === undefined)
    throw new Error(`The slice ${slice} of the contents has no beginning.`);

  const sorter = new Sorter(decision.partitions);
  const options = {
    ...(prefix === "" ? {} : { prefix: `${prefix}/` }),
    includeMetadata: true,
  };
  let listed = 0;
  let next: string | undefined;
  const container = ledger.service.getContainerClient(name);
  for await (const page of historyPages(container, options, { from })) {
    for (const blob of page.blobs) sorter.add(blob.name, contentOf(blob));
    listed += page.blobs.length;
    next = page.next;
    if (listed >= MOST) break;
  }
  const settled = await sorter.settle<Next>(ledger, list, next === undefined ? {} : { next });
  return { tally: emptyTally(), done: settled.next === undefined };
}

function nameOf(slice: number): string {
  return `contents-${slice}`;
}

function contentOf({ name, metadata, properties, snapshot, versionId, isCurrentVersion }: BlobItem): Content {
  const md5 = properties.contentMD5;
  const run = readMarks(metadata)?.run;
  const isCurrent = !snapshot && (!versionId || isCurrentVersion);
  return {
    name,
    size: properties.contentLength ?? 0,
    ...(md5 && md5.length > 0 ? { md5: Buffer.from(md5).toString("base64") } : {}),
    ...(run === undefined ? {} : { run }),
    ...(isCurrent ? { etag: properties.etag } : {}),
    ...(snapshot ? { snapshot } : {}),
    ...(versionId ? { versionId } : {}),
  };
}

/** The contents of one partition, all of one name together (but where a slice ended in the middle of them). */
export async function* contentsByName({ ledger }: Prune, partition: number): AsyncGenerator<Content[]> {
  for (let slice = 0; ; slice++) {
    const sorted = await readSorted<Next>(ledger, nameOf(slice));
    const range = sorted?.ranges[partition];
    if (!range) throw new Error(`The ledger of run ${ledger.runId} has no list of contents ${slice}.`);
    let group: Content[] = [];
    for (const content of await ledger.readLines<Content>(range, line)) {
      if (group.length > 0 && group[0]!.name !== content.name) {
        yield group;
        group = [];
      }
      group.push(content);
    }
    if (group.length > 0) yield group;
    if (sorted.next === undefined) return;
  }
}
