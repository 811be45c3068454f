import pMap from "p-map";
import type { Ledger } from "../ledger/ledger.ts";
import { partOfRecord } from "../ledger/names.ts";
import { listedDirectories, listingOf } from "../manifest/listings.ts";
import type { ManifestBlob } from "../manifest/run-map.ts";

/** Concurrent reads of parts. */
const READS = 16;

/**
 * The recorded modes of the directories that lie above what some blobs of a manifest name: what is in a directory was
 * listed by the part that read it, or by a part that this one left.
 */
export async function modesAbove(
  ledger: Ledger,
  blobs: readonly ManifestBlob[],
): Promise<Map<string, number>> {
  const parts = new Set<string>();
  for (const { name } of blobs) {
    let part = partOfRecord(name);
    for (; part !== ""; part = part.slice(0, Math.max(0, part.lastIndexOf(".")))) parts.add(part);
  }
  const modes = new Map<string, number>();
  await pMap(
    parts,
    async (part) => {
      const { listing } = await listingOf(ledger, part);
      for (const { path, mode, left } of await listedDirectories(
        ledger,
        listing?.directories,
        () => undefined,
      ))
        if (!left && mode !== undefined) modes.set(path, mode);
    },
    { concurrency: READS },
  );
  return modes;
}
