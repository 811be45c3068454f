import { createHash } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import type { Part } from "../ledger/part-kind.ts";
import { openSource } from "../manifest/find-run.ts";
import type { ManifestItem } from "../manifest/line.ts";
import type { PlanInput, PlannedItem, PlanOwn } from "../manifest/plan-record.ts";
import { settlePlan, type Examined } from "../manifest/plan.ts";
import { allWithin } from "../model/order.ts";
import { failed, type Outcome } from "../model/outcome.ts";
import type { Settings } from "../settings.ts";
import type { Unreadable } from "../store/fetching.ts";
import { openStore } from "../store/open-store.ts";
import type { Store } from "../store/store.ts";
import type { VerifyRequest } from "./request.ts";

/**
 * Verifies one part of a run by listing blobs: each file must be there, as a blob or in its history, with its size and MD5.
 * Files to read back are cut into batches; large files are read span by span.
 */
export async function planVerify(
  input: PlanInput<VerifyRequest>,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Part<PlanOwn>> {
  const { request, run } = input;
  const { listFiles, largeFile, app } = settings;
  let store: Store | undefined;
  const storeOf = ({ source }: PlanOwn): Store => (store ??= openStore(source, service, settings));
  return await settlePlan(input, service, {
    within: allWithin(""),
    filesPerPart: listFiles,
    largeFile,
    batching: storeOf,
    begin: async (ledger, own) =>
      own ?? { source: await openSource(ledger, request, { kind: "verify", app }), realTo: "" },
    covers: ({ path }, own) => storeOf(own).whyNot(path) === undefined,
    examine: (own, items) => examine(items, request, storeOf(own), run),
  });
}

async function examine(
  items: readonly ManifestItem[],
  { readData }: VerifyRequest,
  store: Store,
  run: string,
): Promise<Examined> {
  const settled: Outcome[] = [];
  const contents = await store.find(items);
  const there: PlannedItem[] = [];
  const lost: Unreadable[] = [];
  for (const item of items) {
    const found = contents.get(item);
    if (found && "source" in found) there.push({ ...item, source: found.source });
    else {
      settled.push(failed(item, found?.lost ?? "its blob is missing"));
      lost.push({ item });
    }
  }
  await store.avoid(lost);
  const sample = drawSample(there, readData, run);
  const reads = (item: PlannedItem) => sample.has(item) || item.source.unhashed === true;
  const planned = there.filter(reads);
  for (const item of there) if (!reads(item)) settled.push(verified(item));
  return { planned, settled };
}

/** The outcome of a file that is as the run recorded it. */
export function verified({ path, kind, size, mtime, mode, md5 }: ManifestItem): Outcome {
  return { path, kind, outcome: "unchanged", size, mtime, mode, ...(md5 === undefined ? {} : { md5 }) };
}

/**
 * Draws the files whose content is read, at least one if there are any. The draw depends on their paths and the verification,
 * so that all deliveries of one verification read the same files, and the next verification others.
 * @param run the id of the verification
 */
export function drawSample(
  items: readonly ManifestItem[],
  readData: VerifyRequest["readData"],
  run: string,
): Set<ManifestItem> {
  if (typeof readData === "boolean") return new Set(readData ? items : []);
  const share = Number.parseFloat(readData) / 100;
  const sample = new Set<ManifestItem>();
  let anyFile = false;
  let first: { item: ManifestItem; lot: number } | undefined;
  for (const item of items) {
    const lot = lotOf(item.path, run);
    if (lot < share) sample.add(item);
    if (item.kind !== "file") continue;
    anyFile ||= lot < share;
    if (!first || lot < first.lot) first = { item, lot };
  }
  if (!anyFile && first) sample.add(first.item);
  return sample;
}

/** A number from 0 to 1. */
function lotOf(path: string, run: string): number {
  return createHash("sha256").update(`${run}\n${path}`).digest().readUInt32BE(0) / 2 ** 32;
}
