import { readdir, unlink } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { byDirectory, tryInTarget } from "../files/in-directory.ts";
import { ignore } from "../files/pinned-directory.ts";
import { readRecord } from "../ledger/damaged.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { ATTEMPTS } from "../ledger/names.ts";
import type { PlannedItem } from "../manifest/plan-record.ts";
import type { Outcome } from "../model/outcome.ts";
import { isSame, lookUp } from "./decide.ts";
import { isTemporaryOf, type RestoreContext } from "./restore-context.ts";

/** Names to look up in a directory within the time-out of one file operation. */
const LOOKS = 100;

/** What a batch found when it began. */
export interface Begun {
  /** This is the batch's first delivery: nothing of it has been written. */
  first: boolean;
  /** The items that were right before the restore. Any other that is right now, the restore has written. */
  unchanged: ReadonlySet<string>;
  /** The items whose places were taken when this delivery began. */
  there: ReadonlySet<string>;
}

/**
 * Records which items of a batch are already right, before any is written. A later delivery of the batch then counts what an
 * earlier one wrote as restored, not as unchanged.
 */
export async function beginBatch(
  { part, batch }: { part: string; batch: number },
  items: readonly PlannedItem[],
  ledger: Ledger,
  where: { realTo: string; fileTimeoutMs: number },
): Promise<Begun> {
  const name = `${ATTEMPTS}${part}-${batch}.json`;
  const { there, unchanged } = await inPlace(items, where);
  const { won } = await ledger.writeOnce(name, JSON.stringify([...unchanged]));
  if (won) return { first: true, unchanged, there };
  const text = (await ledger.read(name)) ?? "[]";
  const before = readRecord<string[]>(text, z.array(z.string()), `${ledger.runId}/${name}`);
  return { first: false, unchanged: new Set(before), there };
}

/** The items whose places are taken, and which of them are already right. An error here is reported when the item is restored. */
async function inPlace(
  items: readonly PlannedItem[],
  where: { realTo: string; fileTimeoutMs: number },
): Promise<Pick<Begun, "there" | "unchanged">> {
  const there = new Set<string>();
  const unchanged = new Set<string>();
  const some = [...byDirectory(items)].flatMap(([portable, inside]) =>
    Array.from({ length: Math.ceil(inside.length / LOOKS) }, (_none, index) => ({
      portable,
      inside: inside.slice(index * LOOKS, (index + 1) * LOOKS),
    })),
  );
  for (const { portable, inside } of some) {
    await tryInTarget(where, portable, async (directory) => {
      const looks = inside.map(async (item) => {
        const at = directory.path(path.posix.basename(item.path));
        const current = await lookUp(at);
        if (!current) return;
        there.add(item.path);
        if (await isSame(item, at, current)) unchanged.add(item.path);
      });
      await Promise.allSettled(looks);
    });
  }
  return { there, unchanged };
}

/** An item that is right now and was not at the beginning was restored by another delivery of the batch. */
export function claimWritten(outcomes: Outcome[], { unchanged }: Begun): void {
  for (const outcome of outcomes) {
    if (outcome.outcome === "unchanged" && !unchanged.has(outcome.path)) outcome.outcome = "copied";
  }
}

/** Removes the temporary files that another delivery of this batch left. */
export async function sweep(items: readonly PlannedItem[], context: RestoreContext): Promise<void> {
  const { mark } = context;
  for (const portable of byDirectory(items).keys()) {
    await tryInTarget(context, portable, async (directory) => {
      for (const name of await readdir(directory.path("."))) {
        if (isTemporaryOf(mark, name)) await unlink(directory.path(name)).catch(ignore("ENOENT"));
      }
    });
  }
}
