import type { BlobServiceClient } from "@azure/storage-blob";
import { clashesIn, type Ignored } from "../files/one-name.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { PartProblem, type Part } from "../ledger/part-kind.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { openSource } from "../manifest/find-run.ts";
import type { ManifestItem } from "../manifest/line.ts";
import type { PlanInput, PlannedItem, PlanOwn } from "../manifest/plan-record.ts";
import { settlePlan, type Examined } from "../manifest/plan.ts";
import type { ManifestBlob } from "../manifest/run-map.ts";
import { createSelection, type Selection } from "../model/filter.ts";
import { inTurns } from "../model/in-turns.ts";
import { allWithin } from "../model/order.ts";
import { failed, type Outcome } from "../model/outcome.ts";
import { unsafePath } from "../model/safe-path.ts";
import type { Settings } from "../settings.ts";
import { openStore } from "../store/open-store.ts";
import { whatItIs, type RestoreRequest } from "./request.ts";
import { refusedTarget } from "./restore-error.ts";

/** What a restore and a dry run do differently. */
export interface Ways {
  /** Finds the real path of the target. @throws PartProblem if it is not allowed, or cannot be opened or made */
  settleTarget: (to: string, ledger: Ledger, settings: Settings) => Promise<Omit<PlanOwn, "source">>;
  /** Which names the target's file system treats as the same. */
  ignoredIn: (realTo: string, settings: Settings) => Promise<Ignored>;
  /** Adds to the items what writing them needs. */
  complete?: (
    planned: PlannedItem[],
    blobs: readonly ManifestBlob[],
    own: PlanOwn,
    service: BlobServiceClient,
    settings: Settings,
  ) => Promise<{ planned: PlannedItem[]; makes: string[] }>;
  /** Bytes above which a file is a large file. */
  largeFile: number;
}

/**
 * Plans one part of a restore: which files of the run's manifest to restore, and where the content of each is; see
 * settlePlan. A file whose content is gone, or whose name could lead outside the target, fails here.
 */
export async function planFiles(
  input: PlanInput<RestoreRequest>,
  service: BlobServiceClient,
  settings: Settings,
  ways: Ways,
): Promise<Part<PlanOwn>> {
  const { request } = input;
  const selection = createSelection(request);
  return await settlePlan(input, service, {
    filesPerPart: settings.listFiles,
    largeFile: ways.largeFile,
    begin: async (ledger, own) => {
      if (await isCanceled(ledger)) throw new PartProblem("The restore was canceled.");
      return own ?? (await begin(request, ledger, settings, ways));
    },
    batching: ({ source }) => openStore(source, service, settings),
    within: selection.places.flatMap(allWithin),
    covers: (item) => selects(selection, item) && unsafePath(item.path) === undefined,
    examine: (own, items, blobs) => examine(items, blobs, selection, request, own, service, settings, ways),
  });
}

async function begin(
  request: RestoreRequest,
  ledger: Ledger,
  settings: Settings,
  { settleTarget }: Ways,
): Promise<PlanOwn> {
  const { to } = request;
  const assertAllowed = async (realTo = to): Promise<void> => {
    const refused = await refusedTarget({ to, realTo }, settings);
    if (refused !== undefined) throw new PartProblem(refused);
  };
  await assertAllowed();
  const source = await openSource(ledger, request, { ...whatItIs(request), app: settings.app });
  const target = await settleTarget(to, ledger, settings);
  await assertAllowed(target.realTo);
  return { source, ...target };
}

function selects(selection: Selection, { path, kind }: ManifestItem): boolean {
  return kind === "directory" ? selection.directory(path) : selection.file(path);
}

async function examine(
  items: readonly ManifestItem[],
  blobs: readonly ManifestBlob[],
  selection: Selection,
  { to }: RestoreRequest,
  own: PlanOwn,
  service: BlobServiceClient,
  settings: Settings,
  { ignoredIn, complete }: Ways,
): Promise<Examined> {
  const { source, realTo } = own;
  const settled: Outcome[] = [];
  const safe: ManifestItem[] = [];
  await inTurns(items, (item) => {
    if (!selects(selection, item)) return;
    const reason = unsafePath(item.path);
    if (reason === undefined) safe.push(item);
    else settled.push(failed(item, reason));
  });
  const clashing = await clashesIn(safe, () => ignoredIn(realTo, settings));
  const contents = await openStore(source, service, settings).find(safe);
  const planned: PlannedItem[] = [];
  for (const item of safe) {
    const other = clashing.get(item);
    if (other !== undefined) {
      settled.push(failed(item, oneName(other, to)));
      continue;
    }
    const found = contents.get(item);
    if (found && "source" in found) planned.push({ ...item, source: found.source });
    else settled.push(failed(item, found?.lost ?? "its blob is missing"));
  }
  const matched = selection.matched();
  return { planned, settled, matched, ...(await complete?.(planned, blobs, own, service, settings)) };
}

function oneName(other: string, to: string): string {
  const name = JSON.stringify(other.slice(0, 200));
  return `${name} is restored too, and ${to} takes both names for the same. Restore this file alone into another directory.`;
}
