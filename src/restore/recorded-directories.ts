import pMap from "p-map";
import { z } from "zod";
import { DamagedRecord, mode, mtime, NewerLedger, ofDamaged } from "../ledger/damaged.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { readListing } from "../ledger/listing.ts";
import { classify } from "../storage/errors.ts";
import type { ManifestBlob } from "../manifest/manifest.ts";

const line = z.object({ path: z.string().max(32_767), mtime, mode });

/** A directory that was not empty, as a run recorded it. */
export type RecordedDirectory = z.infer<typeof line>;

/** Parts that are read at a time. */
const READS = 16;

/**
 * The directories that one part of a run read. What is damaged in a listing the plan has named.
 * @param onDamage is told what else is damaged, for people
 */
export async function directoriesOf(
  ledger: Ledger,
  part: string,
  onDamage: (name: string, reason: string) => void,
): Promise<RecordedDirectory[]> {
  const range = (await readListing(ledger, part).catch(ofUnreadable))?.directories;
  if (!range) return [];
  const name = `${ledger.runId}/${range.list}`;
  try {
    const lines = await ledger.readLines(range);
    return lines.flatMap((value) => {
      const { success, data } = line.safeParse(value);
      if (!success) onDamage(name, `a line of it is damaged: ${JSON.stringify(value).slice(0, 300)}`);
      return success ? [data] : [];
    });
  } catch (error) {
    if (!(error instanceof DamagedRecord) && classify(error) !== "missing") throw error;
    onDamage(name, "the record of directories is damaged or missing");
    return [];
  }
}

/** The parts of a run's listing that can be read, each before those that it left. */
export async function partsOf(ledger: Ledger): Promise<string[]> {
  const parts: string[] = [];
  for (let level = ["0"]; level.length > 0;) {
    parts.push(...level);
    const left = await pMap(
      level,
      async (part) => {
        const listing = await readListing(ledger, part).catch(ofUnreadable);
        return (listing?.rest ?? []).map((_range, index) => `${part}.${index}`);
      },
      { concurrency: READS },
    );
    level = left.flat();
  }
  return parts;
}

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
    let part = /^outcomes\/(\d+(?:\.\d+)*)-/.exec(name)?.[1] ?? "";
    for (; part !== ""; part = part.slice(0, Math.max(0, part.lastIndexOf(".")))) parts.add(part);
  }
  const modes = new Map<string, number>();
  await pMap(
    parts,
    async (part) => {
      for (const directory of await directoriesOf(ledger, part, () => undefined))
        modes.set(directory.path, directory.mode);
    },
    { concurrency: READS },
  );
  return modes;
}

/** One that cannot be read counts as missing; any other error is thrown on. */
function ofUnreadable(error: unknown): undefined {
  return error instanceof NewerLedger ? undefined : ofDamaged(error);
}
