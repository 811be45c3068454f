import { cutEvenly, weigh } from "./cut.ts";

/** The most parts that one part leaves. With 64 batches, an orchestration's history then stays under 500 events. */
export const MAX_PARTS = 32;

/**
 * Divides what is left of a part among further parts of nearly equal weight.
 * @param most the most a part should weigh; MAX_PARTS comes first
 * @param atLeast the least number of parts, if there are enough items
 */
export function cutRest<T>(
  left: readonly T[],
  weightOf: (item: T) => number,
  most: number,
  atLeast = 1,
): T[][] {
  const parts = Math.max(atLeast, Math.ceil(weigh(left, weightOf) / most));
  return cutEvenly(left, weightOf, Math.min(MAX_PARTS, parts));
}
