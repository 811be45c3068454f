import type { PlannedItem } from "../../manifest/planned-item.ts";
import { digestOf, resumeMd5, stateOf } from "../../storage/resumable-md5.ts";
import type { Reached, Take } from "../fetching.ts";
import { assertIntact, readOn, type Reading } from "./read-content.ts";

/** The most bytes of a span, which are fetched again after a kill. */
const SPAN = 128 * 1024 * 1024;

/** Reads a span of a large content; see Store. */
export async function readSpan(
  item: PlannedItem,
  { position: from, state, source = item.source }: Reached,
  until: number,
  reading: Reading,
  take: Take,
): Promise<Reached | undefined> {
  const hash = await resumeMd5(state);
  const more = (position: number) => position - from < SPAN && performance.now() < until;
  const reached = await readOn(item, { position: from, source }, { reading, hash, more }, take);
  if (reached.position < reached.source.length) return { ...reached, state: stateOf(hash) };
  assertIntact(item, digestOf(hash));
  return undefined;
}
