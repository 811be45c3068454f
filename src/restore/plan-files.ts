import path from "node:path";
import type { BlobServiceClient } from "@azure/storage-blob";
import { failed, type Outcome } from "../model/outcome.ts";
import { isFinal } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { isCanceled } from "../ledger/run-record.ts";
import { openRun } from "../ledger/runs.ts";
import { inTurns } from "../model/in-turns.ts";
import type { Settings } from "../settings.ts";
import { describe } from "../storage/errors.ts";
import { openStore } from "../store/open-store.ts";
import type { ManifestBlob, ManifestItem } from "../manifest/manifest.ts";
import { clashesIn, type Ignored } from "../files/one-name.ts";
import { isPlan, noPlan, settlePart, settlePlan } from "../manifest/plan.ts";
import type { Examine, Plan, PlanBase, PlanInput } from "../manifest/plan.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";
import { refusedTarget } from "./refused-target.ts";
import type { RestoreRequest } from "./request.ts";
import { unsafePath } from "../model/safe-path.ts";
import { createSelection, type Selection } from "../model/selection.ts";
import { findRun, findStanding, NoSuchRun, whyGone } from "../manifest/source-run.ts";

export type RestorePlan = Plan<RestoreRequest>;
type Base = PlanBase<RestoreRequest>;

/** What a restore and a dry run do each in their own way. */
export interface Planning {
  /** Finds the real path of the directory to restore into. @returns a plan of nothing where it may not be, or cannot be had */
  settleTarget: (base: Base, ledger: Ledger, settings: Settings) => Promise<Base | RestorePlan>;
  /** By what names are not told apart in that directory. */
  ignoredIn: (realTo: string, settings: Settings) => Promise<Ignored>;
  /** Adds what is to be known where the items are to be written. */
  complete?: (
    planned: PlannedItem[],
    blobs: readonly ManifestBlob[],
    base: Base,
    service: BlobServiceClient,
    settings: Settings,
  ) => Promise<{ planned: PlannedItem[]; makes: string[] }>;
  /** Bytes from which on a file is restored by ranges; none is where it is undefined. */
  largeFile?: number;
}

/**
 * Plans one part of a restore: which files of the run's manifest, and where the content of each is. Bounded by the
 * files a part may have; a bigger run is divided among sub-orchestrations by the blobs of its manifest. What is not in
 * the container any more, or has a name that could lead outside the directory, is settled here.
 */
export async function planFiles(
  input: PlanInput<RestoreRequest>,
  service: BlobServiceClient,
  settings: Settings,
  planning: Planning,
): Promise<RestorePlan> {
  const ledger = new Ledger(service, input.run);
  try {
    const { request, left } = input;
    if (await isCanceled(ledger)) return noPlan(unknownRun(request), "The restore was canceled.");
    const base = left
      ? { request, source: left.source, realTo: left.realTo }
      : await begin(request, ledger, settings, planning);
    if (isPlan(base)) {
      await settlePlan(ledger, input.part, base);
      return base;
    }
    const selection = createSelection(request.include, request.exclude);
    const { largeFile } = planning;
    return await settlePart(input, base, {
      service,
      filesPerPart: settings.listFiles,
      covers: (item) => selects(selection, item) && unsafePath(item.path) === undefined,
      examine: (items, blobs) => examine(items, blobs, selection, base, service, settings, planning),
      ...(largeFile === undefined ? {} : { largeFile }),
    });
  } catch (error) {
    if (!isFinal(error)) throw error;
    return noPlan(unknownRun(input.request), describe(error));
  }
}

async function begin(
  request: RestoreRequest,
  ledger: Ledger,
  settings: Settings,
  { settleTarget }: Planning,
): Promise<Base | RestorePlan> {
  const { service } = ledger;
  const nothing = unknownRun(request);
  const refused = await refusedTarget(request, settings);
  if (refused !== undefined) return noPlan(nothing, refused);
  let source;
  try {
    source = await findRun(service, request);
    const { container, prefix } = source;
    const opened = await openRun(
      ledger,
      { root: request.to, container, prefix, mode: "full" },
      { app: settings.app, kind: "restore", of: source.id, ...(request.dryRun ? { dryRun: true } : {}) },
    );
    // Of a time: since the record was opened another run may have ended, but that one is kept from prunes.
    if (opened.of !== undefined && opened.of !== source.id)
      source = await findStanding(service, request, opened.of, ledger);
  } catch (error) {
    if (error instanceof NoSuchRun) return noPlan(nothing, error.message);
    throw error;
  }
  const base = { ...nothing, source };
  const gone = await whyGone(service, source);
  if (gone !== undefined) return noPlan(base, gone);
  const settled = await settleTarget(base, ledger, settings);
  if (isPlan(settled)) return settled;
  const leadsOut = await refusedTarget({ ...request, realTo: settled.realTo }, settings);
  return leadsOut === undefined ? settled : noPlan(settled, leadsOut);
}

function selects(selection: Selection, { path: portable, kind }: ManifestItem): boolean {
  return kind === "directory" ? selection.directory(portable) : selection.file(portable);
}

async function examine(
  items: readonly ManifestItem[],
  blobs: readonly ManifestBlob[],
  selection: Selection,
  base: Base,
  service: BlobServiceClient,
  settings: Settings,
  { ignoredIn, complete }: Planning,
): ReturnType<Examine> {
  const { request, source, realTo } = base;
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
      settled.push(failed(item, oneName(other, request.to)));
      continue;
    }
    const found = contents.get(item);
    if (found && "source" in found) planned.push({ ...item, source: found.source });
    else settled.push(failed(item, found?.lost ?? "its blob is missing"));
  }
  const matched = selection.matched();
  return { planned, settled, matched, ...(await complete?.(planned, blobs, base, service, settings)) };
}

function oneName(other: string, to: string): string {
  const name = JSON.stringify(other.slice(0, 200));
  return `${name} is restored, too, and in ${to} both are one name. Restore this one alone into another directory.`;
}

function unknownRun(request: RestoreRequest): Base {
  const source = { id: "", root: "", container: "", prefix: "", include: [], exclude: [], status: undefined };
  return { request, source, realTo: path.resolve(request.to) };
}
