import { cutRest } from "../ledger/cut.ts";
import { inOrder } from "../ledger/fences.ts";
import { directoryKey, keyOf } from "../model/order.ts";
import type { Pending } from "./walk.ts";

/** Directories whose size nobody knows are shared among at least so many parts, where there are so many. */
const SHARE_AMONG = 8;
/** Files that a directory which is not read yet is taken to have at the most. */
const FILES_A_DIRECTORY = 8;

/**
 * Cuts what is left to walk into parts, each a range of a manifest's order: so that few parts may have a path.
 * @param perListing files that one listing takes
 * @param seen files met so far, for a guess at what is in the directories that are left
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

/** All below a directory stands where its own names begin. */
function placeOf(item: Pending): string {
  return "dir" in item ? directoryKey(item.dir) : keyOf(item.file);
}
