import type { ManifestBlob, RunMap } from "./run-map.ts";
import { compareKeys } from "../model/order.ts";

/** Sorted records that may overlap at any place. A run's own are three a level of parts, and it has few levels. */
const MOST = 32;

/**
 * A map without fences if more records overlap than a run writes, because a merge holds those in memory together. Others wrote
 * them: they are read like unsorted records.
 */
export function boundOverlap(map: RunMap): RunMap {
  if (mostOverlapping([...map.outcomes, ...map.directories]) <= MOST) return map;
  return { outcomes: map.outcomes.map(withoutFences), directories: map.directories.map(withoutFences) };
}

function mostOverlapping(blobs: readonly ManifestBlob[]): number {
  const fences = blobs.flatMap((blob) => (blob.fences ? [blob.fences] : []));
  const firsts = fences.map(({ first }) => first).sort(compareKeys);
  const lasts = fences.map(({ last }) => last).sort(compareKeys);
  let most = 0;
  let ended = 0;
  for (const [begun, first] of firsts.entries()) {
    while (lasts[ended]! < first) ended++;
    most = Math.max(most, begun + 1 - ended);
  }
  return most;
}

function withoutFences({ fences: _fences, ...blob }: ManifestBlob): ManifestBlob {
  return blob;
}
