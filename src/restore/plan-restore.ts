import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { ignore } from "../backup/pinned-directory.ts";
import { fileError } from "../file-system/file-error.ts";
import { realPath } from "../file-system/real-path.ts";
import { forDisk } from "../model/path.ts";
import type { Outcome } from "../backup/outcome.ts";
import { realOrNearest } from "../backup/roots.ts";
import { FileTimeout, withTimeout } from "../file-system/timeout.ts";
import { isFinal, readRecord } from "../ledger/damaged.ts";
import { Ledger } from "../ledger/ledger.ts";
import { openRun } from "../ledger/run-record.ts";
import { inTurns } from "../model/in-turns.ts";
import type { Settings } from "../settings.ts";
import { describe } from "../storage/errors.ts";
import { findContents } from "./find-content.ts";
import { directoriesAbove, missingDirectories } from "./directories-to-make.ts";
import { lookUp } from "./in-place.ts";
import type { ManifestBlob, ManifestItem } from "./manifest.ts";
import { clashesIn } from "./one-name.ts";
import { isPlan, noPlan, settlePart, settlePlan } from "./plan.ts";
import type { Examine, Plan, PlanBase, PlanInput, PlannedItem } from "./plan.ts";
import { refusedTarget } from "./refused-target.ts";
import type { RestoreRequest } from "./request.ts";
import { modesAbove } from "./recorded-directories.ts";
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
    const selection = createSelection(request.include, request.exclude);
    return await settlePart(input, base, {
      service,
      filesPerPart: settings.listFiles,
      covers: (item) => selects(selection, item) && unsafePath(item.path) === undefined,
      examine: (items, blobs) => examine(items, blobs, selection, base, service, settings),
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
      base.made = await makeTarget(real, ledger, fileTimeoutMs);
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

/**
 * Makes the directory that is restored into, for its owner alone until it is given its mode.
 * @returns whether it was not there, as the first delivery of the activity saw it
 */
async function makeTarget(real: string, ledger: Ledger, fileTimeoutMs: number): Promise<boolean> {
  const name = "attempts/target.json";
  const isThere = await withTimeout(lookUp(forDisk(real)), fileTimeoutMs, "looking it up");
  const { won } = await ledger.writeOnce(name, JSON.stringify({ made: !isThere }));
  const making = async (): Promise<void> => {
    await mkdir(forDisk(path.dirname(real)), { recursive: true });
    await mkdir(forDisk(real), 0o700).catch(ignore("EEXIST"));
  };
  if (!isThere) await withTimeout(making(), fileTimeoutMs, "making it");
  if (won) return !isThere;
  const text = (await ledger.read(name)) ?? "";
  return readRecord<{ made: boolean }>(text, targetRecord, `${ledger.runId}/${name}`).made;
}

const targetRecord = z.looseObject({ made: z.boolean() });

function selects(selection: Selection, { path: portable, kind }: ManifestItem): boolean {
  return kind === "directory" ? selection.directory(portable) : selection.file(portable);
}

async function examine(
  items: readonly ManifestItem[],
  blobs: readonly ManifestBlob[],
  selection: Selection,
  { request, source, realTo }: PlanBase<RestoreRequest>,
  service: BlobServiceClient,
  { fileTimeoutMs, behindProxy }: Settings,
): ReturnType<Examine> {
  const settled: Outcome[] = [];
  const safe: ManifestItem[] = [];
  await inTurns(items, (item) => {
    if (!selects(selection, item)) return;
    const reason = unsafePath(item.path);
    if (reason === undefined) safe.push(item);
    else settled.push(lost(item, reason));
  });
  const clashing = await clashesIn(safe, { realTo, dryRun: request.dryRun, fileTimeoutMs });
  const container = service.getContainerClient(source.container);
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
  const matched = selection.matched();
  if (request.dryRun) return { planned, settled, matched };
  const modes = await modesAbove(new Ledger(service, source.id), blobs);
  const makes = await missingDirectories(directoriesAbove(planned), { realTo, fileTimeoutMs });
  const withModes = planned.map((item) => ({ ...item, above: above(item, modes) }));
  return { planned: withModes, settled, matched, makes };
}

function above({ path: portable }: ManifestItem, modes: ReadonlyMap<string, number>): (number | null)[] {
  const names = portable.split("/").slice(0, -1);
  return names.map((_name, depth) => modes.get(names.slice(0, depth + 1).join("/")) ?? null);
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
