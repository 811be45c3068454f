import path from "node:path";
import { z } from "zod";
import { readRecord } from "../ledger/damaged.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { byDirectory, inDirectory } from "../files/in-directory.ts";
import type { PlannedItem } from "../manifest/planned-item.ts";
import { isSame, lookUp } from "./look.ts";

/** Names of a directory that are looked up at a time: within the time that a file operation has. */
const LOOKS = 100;

/** What a batch found when it was begun. */
export interface Begun {
  /** This is the first delivery of the batch: none has written anything before. */
  first: boolean;
  /** The items that were as they should be before the restore: all others that are so now, it has written itself. */
  unchanged: ReadonlySet<string>;
}

/**
 * Records, before anything of a batch is written, which of its items are as they should be. A batch that is delivered
 * twice, or again after a failure, finds what it wrote itself: that counts as restored, not as unchanged.
 */
export async function beginBatch(
  { part, batch }: { part: string; batch: number },
  items: readonly PlannedItem[],
  ledger: Ledger,
  where: { realTo: string; fileTimeoutMs: number },
): Promise<Begun> {
  const name = `attempts/${part}-${batch}.json`;
  const unchanged = await inPlace(items, where);
  const { won } = await ledger.writeOnce(name, JSON.stringify(unchanged));
  if (won) return { first: true, unchanged: new Set(unchanged) };
  const text = (await ledger.read(name)) ?? "[]";
  const before = readRecord<string[]>(text, z.array(z.string()), `${ledger.runId}/${name}`);
  return { first: false, unchanged: new Set(before) };
}

/** The paths of the items that are as they should be. What cannot be looked at will show when it is restored. */
async function inPlace(
  items: readonly PlannedItem[],
  where: { realTo: string; fileTimeoutMs: number },
): Promise<string[]> {
  const found = new Set<string>();
  const some = [...byDirectory(items)].flatMap(([portable, inside]) =>
    Array.from({ length: Math.ceil(inside.length / LOOKS) }, (_none, index) => ({
      portable,
      inside: inside.slice(index * LOOKS, (index + 1) * LOOKS),
    })),
  );
  for (const { portable, inside } of some) {
    await inDirectory(where, portable, async (directory) => {
      const looks = inside.map(async (item) => {
        const at = directory.path(path.posix.basename(item.path));
        const current = await lookUp(at);
        if (current && (await isSame(item, at, current))) found.add(item.path);
      });
      await Promise.allSettled(looks);
    });
  }
  return [...found];
}
