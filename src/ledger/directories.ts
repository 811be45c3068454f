import { z } from "zod";
import { directoryKey, keyOf } from "../model/order.ts";
import { mode, mtime } from "./damaged.ts";
import { fencesToMetadata, inOrder } from "./fences.ts";
import { toLine, type Ledger } from "./ledger.ts";
import type { Listing } from "./listing.ts";
import { partDirectories } from "./names.ts";
import { inTurns } from "../model/in-turns.ts";

export const directoryLine = z.object({
  path: z.string().max(32_767),
  /** Absent where nobody looked: of a directory that was left to another part. */
  mtime: mtime.optional(),
  mode: mode.optional(),
  /** What the part that read it says of itself: it was left to that part, and its name is in the record of another. */
  own: z.literal(true).optional(),
  /** It was left to another part, whose record has its own line. */
  left: z.literal(true).optional(),
});

/**
 * A directory as a part's record has it: a line for each name of one that the part found, whether it read it or left it to
 * others, so that a directory's subdirectories are all in the record of the part that read it.
 */
export type DirectoryLine = z.infer<typeof directoryLine>;

/** Where a line stands. Its own comes before the names in it. */
export function placeOf({ path, own }: Pick<DirectoryLine, "path" | "own">): string {
  return own ? directoryKey(path) : keyOf(path);
}

/**
 * Records the directories of a part, once its listing stands, so that they are those of the delivery that listed it.
 * @param lines those, where they are at hand
 */
export async function settleDirectories(
  ledger: Ledger,
  part: string,
  { directories: range }: Pick<Listing, "directories">,
  lines?: readonly DirectoryLine[],
): Promise<void> {
  if (!range) return;
  const { sorted, keys } = await inOrder(
    lines ?? (await ledger.readLines<DirectoryLine>(range, directoryLine)),
    placeOf,
  );
  const text = await inTurns(sorted, (line) => toLine(directoryLine.parse(line)));
  await ledger.writeOnce(partDirectories(part), text.join(""), fencesToMetadata(keys));
}
