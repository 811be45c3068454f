import { inTurns } from "../model/in-turns.ts";
import { toLine, type Ledger, type Lines } from "../ledger/ledger.ts";
import { MAX_PARTS, rangesOf } from "../ledger/listing.ts";
import type { Pending } from "./walk.ts";

/** Directories whose size nobody knows are shared among at least so many parts, where there are so many. */
const SHARE_AMONG = 8;

/**
 * Writes what is left to walk to the ledger and cuts it into parts, each a byte range for one sub-orchestration.
 * @param perListing files that one listing takes
 * @param seen files met so far, for a guess at what is in the directories that are left
 */
export async function cutRest(
  left: readonly Pending[],
  ledger: Ledger,
  list: string,
  perListing: number,
  seen: number,
): Promise<Lines[]> {
  if (left.length === 0) return [];
  const lines = await inTurns(interleave(left), toLine);
  await ledger.writeOnce(list, Buffer.from(lines.join("")));

  const directories = left.filter((item) => "dir" in item).length;
  const files = left.length - directories;
  const guess = Math.ceil((files + Math.min(directories * 8, Math.max(seen, directories))) / perListing);
  const parts = Math.max(
    1,
    Math.min(MAX_PARTS, left.length, Math.max(guess, Math.min(SHARE_AMONG, directories))),
  );
  const start = (part: number): number => Math.floor((lines.length * part) / parts);
  const pieces = Array.from({ length: parts }, (_none, part) =>
    lines.slice(start(part), start(part + 1)).join(""),
  );
  return rangesOf(list, pieces);
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
