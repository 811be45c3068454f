import { inTurns } from "../model/in-turns.ts";
import { keyOfFence, lowerFence, upperFence } from "../model/order.ts";

/** The first and the last key of a record's lines, or what lies outside of them: all that it says is between the two. */
export interface Fences {
  first: string;
  last: string;
}

/** Lines in the order of a manifest, and their keys. */
export async function inOrder<T>(
  lines: readonly T[],
  placeOf: (line: T) => string,
): Promise<{ sorted: T[]; keys: string[] }> {
  const keyed = await inTurns(lines, (line) => ({ key: placeOf(line), line }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return { sorted: keyed.map(({ line }) => line), keys: keyed.map(({ key }) => key) };
}

/** In metadata, so that one list call tells which of a run's records may have a path. @param keys in order */
export function fencesToMetadata(keys: readonly string[]): Record<string, string> {
  const [first, last] = [keys[0], keys.at(-1)];
  return first === undefined || last === undefined
    ? {}
    : { first: lowerFence(first), last: upperFence(last) };
}

/** Undefined of a record of an older release, whose lines are in no order. */
export function fencesFromMetadata({ first, last }: Record<string, string> = {}): Fences | undefined {
  return first === undefined || last === undefined
    ? undefined
    : { first: keyOfFence(first), last: keyOfFence(last) };
}
