import { cutRest } from "../ledger/cut-rest.ts";
import { inOrder } from "../ledger/fences.ts";
import { directoryKey, keyOf } from "../model/order.ts";
import type { Pending } from "./seen.ts";

/** The least number of parts for directories of unknown size, if there are enough of them. */
const SHARE_AMONG = 8;
/** The most files assumed for a directory that is not read yet. */
const FILES_A_DIRECTORY = 8;

/**
 * Cuts what is left to walk into parts, each a range of the manifest's order, so that few parts can hold a given path.
 * @param perListing the most files of one listing
 * @param seen what was met so far, to estimate the directories that are left
 */
export async function cutPending(
  left: readonly Pending[],
  perListing: number,
  seen: number,
): Promise<Pending[][]> {
  const directories = left.filter((item) => "dir" in item).length;
  const inDirectory = Math.min(FILES_A_DIRECTORY, Math.max(1, seen / directories));
  const weightOf = (item: Pending): number => ("dir" in item ? inDirectory : 1);
  const { sorted } = await inOrder(left, placeOf);
  return cutRest(sorted, weightOf, perListing, Math.min(SHARE_AMONG, directories));
}

/** Everything below a directory sorts where its own names begin. */
function placeOf(item: Pending): string {
  return "dir" in item ? directoryKey(item.dir) : keyOf(item.file);
}
