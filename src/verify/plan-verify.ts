import type { BlobServiceClient } from "@azure/storage-blob";
import { failed, type Outcome } from "../model/outcome.ts";
import { ChangedRecord, isFinal } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { openRun } from "../ledger/runs.ts";
import { openStore } from "../store/open-store.ts";
import type { Store } from "../store/store.ts";
import type { ManifestItem } from "../manifest/manifest.ts";
import { isPlan, noPlan, settlePart, settlePlan } from "../manifest/plan.ts";
import type { Plan, PlanBase, PlanInput } from "../manifest/plan.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";
import { findRun, NoSuchRun, whyGone } from "../manifest/source-run.ts";
import type { Settings } from "../settings.ts";
import { describe } from "../storage/errors.ts";
import type { VerifyRequest } from "./request.ts";
import { drawSample } from "./sample.ts";
import { RUN_RECORD } from "../ledger/names.ts";

export type VerifyPlan = Plan<VerifyRequest>;

/**
 * Verifies one part of a run as far as lists of blobs go: each file is there, in the blob or in what is kept of it,
 * with its size and MD5. What is to be read back as well is cut into batches; large files are read span by span.
 */
export async function planVerify(
  input: PlanInput<VerifyRequest>,
  service: BlobServiceClient,
  settings: Settings,
): Promise<VerifyPlan> {
  const ledger = new Ledger(service, input.run);
  try {
    const { request, left } = input;
    const base = left
      ? { request, source: left.source, realTo: "" }
      : await begin(request, ledger, service, settings);
    if (isPlan(base)) {
      await settlePlan(ledger, input.part, base);
      return base;
    }
    const store = openStore(base.source, service, settings);
    return await settlePart(input, base, {
      service,
      filesPerPart: settings.listFiles,
      covers: ({ path }) => store.whyNot(path) === undefined,
      examine: (items) => examine(items, base, store, input.run),
      largeFile: settings.largeFile,
    });
  } catch (error) {
    if (!isFinal(error)) throw error;
    return noPlan(unknownRun(input.request), describe(error));
  }
}

async function begin(
  request: VerifyRequest,
  ledger: Ledger,
  service: BlobServiceClient,
  { app }: Settings,
): Promise<PlanBase<VerifyRequest> | VerifyPlan> {
  let source;
  try {
    source = await findRun(service, request);
  } catch (error) {
    if (error instanceof NoSuchRun) return noPlan(unknownRun(request), error.message);
    throw error;
  }
  const { root, container, prefix } = source;
  const run = { root, container, prefix, mode: "full" as const };
  const { of } = await openRun(ledger, run, { app, kind: "verify", of: source.id });
  if (of !== source.id) throw new ChangedRecord(`${ledger.runId}/${RUN_RECORD}`);
  const base = { request, source, realTo: "" };
  const gone = await whyGone(service, source);
  return gone === undefined ? base : noPlan(base, gone);
}

async function examine(
  items: readonly ManifestItem[],
  { request }: PlanBase<VerifyRequest>,
  store: Store,
  run: string,
): Promise<{ planned: PlannedItem[]; settled: Outcome[] }> {
  const settled: Outcome[] = [];
  const contents = await store.find(items);
  const there: PlannedItem[] = [];
  for (const item of items) {
    const found = contents.get(item);
    if (found && "source" in found) there.push({ ...item, source: found.source });
    else settled.push(failed(item, found?.lost ?? "its blob is missing"));
  }
  const sample = drawSample(there, request.readData, run);
  const reads = (item: PlannedItem) => sample.has(item) || item.source.unhashed === true;
  const planned = there.filter(reads);
  for (const item of there) if (!reads(item)) settled.push(verified(item));
  return { planned, settled };
}

/** A file that is as the run recorded it. */
export function verified({ path, kind, size, mtime, mode, md5 }: ManifestItem): Outcome {
  return { path, kind, outcome: "unchanged", size, mtime, mode, md5 };
}

function unknownRun(request: VerifyRequest): PlanBase<VerifyRequest> {
  const source = { id: "", root: "", container: "", prefix: "", include: [], exclude: [], status: undefined };
  return { request, source, realTo: "" };
}
