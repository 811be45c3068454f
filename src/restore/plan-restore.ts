import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { fileError } from "../file-system/file-error.ts";
import { realPath } from "../file-system/real-path.ts";
import { forDisk } from "../model/path.ts";
import type { Outcome } from "../backup/outcome.ts";
import { realOrNearest } from "../backup/roots.ts";
import { FileTimeout, withTimeout } from "../file-system/timeout.ts";
import { isFinal } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { openRun } from "../ledger/run-record.ts";
import { inTurns } from "../model/in-turns.ts";
import type { Settings } from "../settings.ts";
import { describe } from "../storage/errors.ts";
import { findContents } from "./find-content.ts";
import type { ManifestItem } from "./manifest.ts";
import { clashesIn } from "./one-name.ts";
import { isPlan, noPlan, settlePart, settlePlan } from "./plan.ts";
import type { Plan, PlanBase, PlanInput, PlannedItem } from "./plan.ts";
import { refusedTarget } from "./refused-target.ts";
import type { RestoreRequest } from "./request.ts";
import { unsafePath } from "./safe-path.ts";
import { createSelection, type Selection } from "./selection.ts";
import { findRun, findStanding, NoSuchRun, whyGone } from "./source-run.ts";

export type RestorePlan = Plan<RestoreRequest>;

/**
 * Plans one part of a restore: which files of the run's manifest, and where the content of each is. Bounded by the
 * files a part may have; a bigger run is divided among sub-orchestrations by the blobs of its manifest. What is not in
 * the container any more, or has a name that could lead outside the directory, is settled here.
 */
export async function planRestore(
  input: PlanInput<RestoreRequest>,
  service: BlobServiceClient,
  settings: Settings,
): Promise<RestorePlan> {
  const ledger = new Ledger(service, input.run);
  try {
    const { request, left } = input;
    const base = left
      ? { request, source: left.source, realTo: left.realTo }
      : await begin(request, ledger, service, settings);
    if (isPlan(base)) {
      await settlePlan(ledger, input.part, base);
      return base;
    }
    const container = service.getContainerClient(base.source.container);
    const selection = createSelection(request.include, request.exclude);
    return await settlePart(input, base, {
      service,
      filesPerPart: settings.listFiles,
      covers: (item) => selects(selection, item) && unsafePath(item.path) === undefined,
      examine: (items) => examine(items, selection, base, container, settings),
      largeFile: settings.largeFile,
    });
  } catch (error) {
    if (!isFinal(error)) throw error;
    return noPlan(unknownRun(input.request), describe(error));
  }
}

async function begin(
  request: RestoreRequest,
  ledger: Ledger,
  service: BlobServiceClient,
  settings: Settings,
): Promise<PlanBase<RestoreRequest> | RestorePlan> {
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
  const base: PlanBase<RestoreRequest> = {
    request,
    source,
    realTo: path.resolve(request.to),
  };
  const gone = await whyGone(service, source);
  if (gone !== undefined) return noPlan(base, gone);
  try {
    const { fileTimeoutMs } = settings;
    if (!request.dryRun) {
      // Below the real path of what is there, which is what must allow it.
      const real = await realOrNearest(request.to, fileTimeoutMs);
      const outside = await refusedTarget({ to: request.to, realTo: real }, settings);
      if (outside !== undefined) return noPlan(base, outside);
      const made = await withTimeout(mkdir(forDisk(real), { recursive: true }), fileTimeoutMs, "making it");
      base.made = made !== undefined;
    }
    base.realTo = await withTimeout(realPath(request.to), fileTimeoutMs, "looking it up");
  } catch (error) {
    if (error instanceof FileTimeout)
      return noPlan(base, `The directory ${request.to} cannot be made: ${error.message}.`);
    const { code = String(error) } = error as NodeJS.ErrnoException;
    if (request.dryRun && code === "ENOENT") return base;
    return noPlan(base, `The directory ${request.to} cannot be made: ${fileError(code)}.`);
  }
  const leadsOut = await refusedTarget({ ...request, realTo: base.realTo }, settings);
  return leadsOut === undefined ? base : noPlan(base, leadsOut);
}

function selects(selection: Selection, { path: portable, kind }: ManifestItem): boolean {
  return kind === "directory" ? selection.directory(portable) : selection.file(portable);
}

async function examine(
  items: readonly ManifestItem[],
  selection: Selection,
  { request, source, realTo }: PlanBase<RestoreRequest>,
  container: ContainerClient,
  { fileTimeoutMs, behindProxy }: Settings,
) {
  const settled: Outcome[] = [];
  const safe: ManifestItem[] = [];
  await inTurns(items, (item) => {
    if (!selects(selection, item)) return;
    const reason = unsafePath(item.path);
    if (reason === undefined) safe.push(item);
    else settled.push(lost(item, reason));
  });
  const clashing = await clashesIn(safe, { realTo, dryRun: request.dryRun, fileTimeoutMs });
  const contents = await findContents({ container, behindProxy }, source.prefix, safe);
  const planned: PlannedItem[] = [];
  for (const item of safe) {
    const other = clashing.get(item);
    if (other !== undefined) {
      settled.push(lost(item, oneName(other, request.to)));
      continue;
    }
    const found = contents.get(item);
    if (found && "source" in found) planned.push({ ...item, source: found.source });
    else settled.push(lost(item, found?.lost ?? "its blob is missing"));
  }
  return { planned, settled, matched: selection.matched() };
}

function oneName(other: string, to: string): string {
  const name = JSON.stringify(other.slice(0, 200));
  return `${name} is restored, too, and in ${to} both are one name. Restore this one alone into another directory.`;
}

function lost({ path: portable, kind }: ManifestItem, reason: string): Outcome {
  return { path: portable, kind, outcome: "failed", size: 0, reason };
}

function unknownRun(request: RestoreRequest): PlanBase<RestoreRequest> {
  const source = { id: "", root: "", container: "", prefix: "", include: [], exclude: [], status: undefined };
  return { request, source, realTo: request.to };
}
