import { cutRest } from "../ledger/cut.ts";
import type { Pending } from "./walk.ts";

/** Directories whose size nobody knows are shared among at least so many parts, where there are so many. */
const SHARE_AMONG = 8;
/** Files that a directory which is not read yet is taken to have at the most. */
const FILES_A_DIRECTORY = 8;

/**
 * Cuts what is left to walk into parts.
 * @param perListing files that one listing takes
 * @param seen files met so far, for a guess at what is in the directories that are left
 */
export function cutPending(left: readonly Pending[], perListing: number, seen: number): Pending[][] {
  const directories = left.filter((item) => "dir" in item).length;
  const inDirectory = Math.min(FILES_A_DIRECTORY, Math.max(1, seen / directories));
  const weightOf = (item: Pending): number => ("dir" in item ? inDirectory : 1);
  return cutRest(interleave(left), weightOf, perListing, Math.min(SHARE_AMONG, directories));
}

/** Spreads the directories evenly among the files, so that each part gets its share of both. */
function interleave(left: readonly Pending[]): Pending[] {
  const directories = left.filter((item) => "dir" in item);
  const files = left.filter((item) => "file" in item);
  const mixed: Pending[] = [];
  let taken = 0;
  files.forEach((file, index) => {
    mixed.push(file);
    for (
      const until = Math.round((directories.length * (index + 1)) / files.length);
      taken < until;
      taken++
    ) {
      mixed.push(directories[taken]!);
    }
  });
  return files.length === 0 ? directories : mixed;
}
