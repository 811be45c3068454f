import type { BlobServiceClient } from "@azure/storage-blob";
import { isGoodRun } from "../../ledger/good-run.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { indexedRuns } from "../../ledger/run-index.ts";
import type { ManifestEntry } from "../../manifest/line.ts";
import { Manifest } from "../../manifest/manifest.ts";
import type { Entry } from "../../model/entry.ts";
import { inKeyOrder, keyOf } from "../../model/order.ts";
import type { Outcome } from "../../model/outcome.ts";
import { isSameRoot } from "../../model/root-path.ts";
import type { Comparing, Comparison } from "../storing.ts";
import { looksUnchanged, unchanged } from "../unchanged.ts";
import { isThere, type Inventory } from "./inventory.ts";

/** How many runs that did not end well to reuse contents of: more would cost more to read than they save. */
const MOST_LATER = 4;

/**
 * Compares entries with what earlier runs stored, as far as that still exists. A file with the same size and times is unchanged;
 * any other gets the recorded content along, because its hash may be the same.
 */
export class EarlierRuns implements Comparison {
  readonly #records: Promise<Manifest>[];
  readonly #how: Comparing;
  readonly #inventory: () => Promise<Inventory>;

  /** @param runs the newest first; damaged lines of their records are ignored */
  constructor(
    account: { service: BlobServiceClient; behindProxy: boolean },
    runs: readonly string[],
    how: Comparing,
    inventory: () => Promise<Inventory>,
  ) {
    this.#how = how;
    this.#inventory = inventory;
    this.#records = runs.map((run) => Manifest.openEnded(account, run, () => undefined));
    // While the tree is walked. What fails is thrown by settle.
    for (const record of this.#records) record.then((read) => read.readAhead()).catch(() => undefined);
  }

  expect(): void {}

  async compare(entries: readonly Entry[], outcomes: Outcome[]): Promise<Entry[]> {
    const { packs } = await this.#inventory();
    const { sorted, keys } = await inKeyOrder(entries, ({ path }) => keyOf(path));
    const found = new Map<number, ManifestEntry>();
    const gone = new Map<number, ManifestEntry>();
    for (const opening of this.#records) {
      await using record = await opening;
      for await (const { at, entry } of record.find(keys)) {
        if (!entry.packed) continue;
        const known = isThere(entry.packed, packs) ? found : gone;
        if (!known.has(at)) known.set(at, entry);
      }
    }
    return sorted.filter((entry, at) => {
      const before = found.get(at);
      if (before?.packed === undefined || before.kind !== entry.kind) {
        const was = gone.get(at);
        if (was && looksUnchanged(entry, was)) entry.again = true;
        return true;
      }
      if (this.#isUnchanged(entry, before)) {
        outcomes.push(unchanged(entry, before));
        return false;
      }
      entry.before = before.packed;
      return true;
    });
  }

  #isUnchanged(entry: Entry, before: ManifestEntry): boolean {
    if (this.#how.mode !== "incremental" || this.#how.checksum) return false;
    const sameCtime = before.ctime === undefined || entry.ctime === undefined || before.ctime === entry.ctime;
    return sameCtime && looksUnchanged(entry, before);
  }
}

/**
 * The newest good run of the same root in a destination, and later ones that did not end well. Their filters do not matter: a
 * name that none of them has is new, and what they recorded is checked against the packs that are there.
 */
export async function findBase(
  { service, runId }: Ledger,
  { container, prefix, root }: { container: string; prefix: string; root: string },
): Promise<{ base?: string; later: string[] }> {
  const later: string[] = [];
  for await (const { id, summary } of indexedRuns(service)) {
    if (id === runId || !summary || (summary.kind ?? "backup") !== "backup") continue;
    if (summary.container !== container || summary.prefix !== prefix || !isSameRoot(summary.root, root))
      continue;
    if (summary.forgotten !== undefined || summary.status === "skipped") continue;
    if (isGoodRun(summary)) return { base: id, later };
    if (later.length < MOST_LATER) later.push(id);
  }
  return { later };
}
