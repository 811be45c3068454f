import { keyOfFence, lowerFence, upperFence } from "../model/order.ts";
import { emptyCounts, type Counts } from "../model/outcome.ts";

/** Bounds of the keys in a record: no line is before the first or after the last. */
export interface Fences {
  first: string;
  last: string;
}

/** Fences as metadata, so that one list call shows which of a run's records may hold a path. @param keys sorted */
export function fencesToMetadata(keys: readonly string[]): Record<string, string> {
  const [first, last] = [keys[0], keys.at(-1)];
  return first === undefined || last === undefined
    ? {}
    : { first: lowerFence(first), last: upperFence(last) };
}

/** Undefined for a record of an older release, which is not sorted. */
export function fencesFromMetadata({ first, last }: Record<string, string> = {}): Fences | undefined {
  return first === undefined || last === undefined
    ? undefined
    : { first: keyOfFence(first), last: keyOfFence(last) };
}

/** Counts as blob metadata, so that a run's progress is one list call. */
export function countsToMetadata(counts: Counts): Record<string, string> {
  return Object.fromEntries(Object.entries(counts).map(([key, value]) => [key.toLowerCase(), String(value)]));
}

/** The counts that countsToMetadata wrote; 0 for each that is missing or invalid. */
export function countsFromMetadata(metadata: Record<string, string> = {}): Counts {
  const counts = emptyCounts();
  for (const key of Object.keys(counts) as (keyof Counts)[]) counts[key] = countIn(metadata, key);
  const deleted = countIn(metadata, "deleted");
  return deleted > 0 ? { ...counts, deleted } : counts;
}

/** A count in metadata; 0 if it is missing or invalid. */
export function countIn(metadata: Record<string, string>, key: string): number {
  const value = Number(metadata[key.toLowerCase()] ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
