import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { Ledger } from "../ledger/ledger.ts";
import type { KeyRange } from "../model/order.ts";
import type { Outcome } from "../model/outcome.ts";
import { missingRecords } from "./missing-records.ts";
import { mayHold } from "./piece.ts";
import { mapRun, type ManifestBlob } from "./run-map.ts";
import { plannedItem, type PlannedItem } from "./planned-item.ts";
import type { SourceRun } from "./source-run.ts";

/** What a plan covers: blobs of the run's manifest, or what another part has planned already, and left. */
export type Left = ManifestBlob | PlannedItem;

const manifestBlob = z.looseObject({ name: z.string().startsWith("outcomes/"), files: z.number().min(0) });
export const leftLine = z.union([manifestBlob, plannedItem]);

export function isBlob(left: Left): left is ManifestBlob {
  return "name" in left;
}

/**
 * What a run's plan covers, and what the run's ledger lacks of it.
 * @param within the only keys that are of interest: records without any of them are left out
 */
export async function wholeRun(
  { id, status }: SourceRun,
  service: BlobServiceClient,
  within: readonly KeyRange[],
): Promise<{ lines: Left[]; damage: Outcome[] }> {
  const blobs = (await mapRun({ service }, id)).outcomes;
  // A terminated run is expected to lack records.
  const ended = status !== "running" && status !== "canceled";
  return {
    lines: blobs.filter(({ fences }) => mayHold(fences, within)),
    damage: ended ? await missingRecords(new Ledger(service, id), blobs) : [],
  };
}
