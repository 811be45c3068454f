import { z } from "zod";
import { inTurns } from "../model/in-turns.ts";
import { directoryKey, inKeyOrder, keyOf } from "../model/order.ts";
import { toLine, type Ledger } from "./ledger.ts";
import type { Listing } from "./listing.ts";
import { fencesToMetadata } from "./metadata.ts";
import { partDirectories } from "./names.ts";
import { mode, mtime } from "./schemas.ts";

export const directoryLine = z.object({
  path: z.string().max(32_767),
  /** Absent if there was no time to look: see `left`. */
  mtime: mtime.optional(),
  mode: mode.optional(),
  /** About the directory that the part was given, whose name is in the record of the part that left it. */
  own: z.literal(true).optional(),
  /** The part left it to another part, whose record has an `own` line about it. */
  left: z.literal(true).optional(),
});

/**
 * A directory in the record of a part. The part has a line for each directory that it found, whether it read it or left it
 * to another part: so all subdirectories of a directory are in one record.
 */
export type DirectoryLine = z.infer<typeof directoryLine>;

/** The key of a line. An `own` line comes right before the names in that directory. */
export function placeOf({ path, own }: Pick<DirectoryLine, "path" | "own">): string {
  return own ? directoryKey(path) : keyOf(path);
}

/**
 * Records the directories of a part. Called once its listing is recorded, so that both are of the same delivery.
 * @param lines the listing's directories, if this delivery wrote it
 */
export async function settleDirectories(
  ledger: Ledger,
  part: string,
  { directories: range }: Pick<Listing, "directories">,
  lines?: readonly DirectoryLine[],
): Promise<void> {
  if (!range) return;
  const { sorted, keys } = await inKeyOrder(
    lines ?? (await ledger.readLines<DirectoryLine>(range, directoryLine)),
    placeOf,
  );
  const text = await inTurns(sorted, (line) => toLine(directoryLine.parse(line)));
  await ledger.writeOnce(partDirectories(part), text.join(""), fencesToMetadata(keys));
}
