import { createHash } from "node:crypto";
import type { ManifestItem } from "../manifest/line.ts";
import type { VerifyRequest } from "./request.ts";

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
