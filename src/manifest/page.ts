import { LEDGER_CONTAINER } from "../model/ledger-container.ts";
import { failed, type Outcome } from "../model/outcome.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { linesOf } from "./blob-piece.ts";
import { itemOf, type ManifestItem } from "./line.ts";
import type { ManifestBlob } from "./run-map.ts";

/** What one record of outcomes says. */
export interface ManifestPage {
  items: ManifestItem[];
  /** What is wrong with the record itself, as failures. */
  damage: Outcome[];
}

/** Reads one record of outcomes. What is damaged in it is named; the rest is given. */
export async function readPage(
  ledger: Ledger,
  blob: Pick<ManifestBlob, "name"> & Partial<ManifestBlob>,
): Promise<ManifestPage> {
  const page: ManifestPage = { items: [], damage: [] };
  const onDamage = (name: string, reason: string) => page.damage.push(damagedRecord(ledger, name, reason));
  for await (const lines of linesOf(ledger, blob, onDamage)) {
    for (const { entry } of lines) {
      const item = itemOf(entry);
      if (item) page.items.push(item);
    }
  }
  return page;
}

/** What is wrong with a record of a run, as a failure. */
export function damagedRecord(ledger: Ledger, name: string, reason: string): Outcome {
  const path = `${LEDGER_CONTAINER}/${ledger.runId}/${name}`;
  return failed({ path, kind: "other" }, `the run's record is damaged: ${reason}`);
}
