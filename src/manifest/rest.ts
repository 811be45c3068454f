import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import type { Outcome } from "../model/outcome.ts";
import { Ledger, toLine, type Lines } from "../ledger/ledger.ts";
import { MAX_PARTS, rangesOf } from "../ledger/listing.ts";
import { inTurns } from "../model/in-turns.ts";
import { listManifest, missingRecords, type ManifestBlob } from "./manifest.ts";
import { plannedItem, type PlannedItem } from "./planned-item.ts";
import type { SourceRun } from "./source-run.ts";

/** What a part of a plan is about. */
interface Rest {
  /** Blobs of the run's manifest. */
  blobs: ManifestBlob[];
  /** What another part has planned already, and left. */
  planned: PlannedItem[];
}

const manifestBlob = z.looseObject({ name: z.string().startsWith("outcomes/"), files: z.number().min(0) });
const line = z.union([manifestBlob, plannedItem]);

/** What a part is about: what another one left, or the whole run; of that also what its ledger lacks. */
export async function partOf(
  ledger: Ledger,
  left: Lines | undefined,
  source: SourceRun,
  service: BlobServiceClient,
): Promise<Rest & { damage: Outcome[] }> {
  if (left) return { ...(await readRest(ledger, left)), damage: [] };
  const blobs = await listManifest(service, source.id);
  // Of a run that was broken off it is expected that records are missing.
  const ended = source.status !== "running" && source.status !== "canceled";
  const damage = ended ? await missingRecords(new Ledger(service, source.id), blobs) : [];
  return { blobs, planned: [], damage };
}

/** What was left to a part. */
export async function readRest(ledger: Ledger, lines: Lines): Promise<Rest> {
  const rest: Rest = { blobs: [], planned: [] };
  for (const item of await ledger.readLines<ManifestBlob | PlannedItem>(lines, line)) {
    if ("name" in item) rest.blobs.push(item);
    else rest.planned.push(item);
  }
  return rest;
}

/**
 * Cuts what is left into parts of about the same weight, and writes them to the ledger.
 * @param most that a part may weigh, unless there would be too many parts
 */
export async function cutRest<T>(
  left: readonly T[],
  weightOf: (item: T) => number,
  most: number,
  ledger: Ledger,
  list: string,
): Promise<Lines[]> {
  if (left.length === 0) return [];
  const lines = await inTurns(left, toLine);
  await ledger.writeOnce(list, lines.join(""));
  const total = left.reduce((sum, item) => sum + weightOf(item), 0);
  const share = Math.max(most, total / MAX_PARTS);
  const pieces: string[][] = [[]];
  let inPiece = 0;
  left.forEach((item, index) => {
    const weight = weightOf(item);
    if (inPiece > 0 && inPiece + weight > share && pieces.length < MAX_PARTS) {
      pieces.push([]);
      inPiece = 0;
    }
    pieces.at(-1)!.push(lines[index]!);
    inPiece += weight;
  });
  return rangesOf(
    list,
    pieces.map((piece) => piece.join("")),
  );
}
