import type { ManifestEntry } from "../../manifest/line.ts";
import { Manifest } from "../../manifest/manifest.ts";
import type { Account } from "../../manifest/run-map.ts";
import type { Entry } from "../../model/entry.ts";
import { inKeyOrder, keyOf } from "../../model/order.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { Comparing, Comparison } from "../storing.ts";
import { looksUnchanged, unchanged } from "../unchanged.ts";

/**
 * Compares entries with what an earlier run recorded of them, and asks the destination nothing. A blob that was changed since is
 * found when it is to be overwritten, by the recorded ETag. An entry that the run has not, or could not back up, is taken
 * for new.
 */
export class Recorded implements Comparison {
  readonly #record: Promise<Manifest>;
  readonly #how: Comparing;
  readonly #instead: () => Comparison;
  readonly #run: string;
  #isDamaged = false;

  /** @param instead compares with the destination where the record is damaged */
  constructor(account: Account, run: string, how: Comparing, instead: () => Comparison) {
    this.#run = run;
    this.#how = how;
    this.#instead = instead;
    // While the tree is walked. What fails is thrown by settle.
    this.#record = Manifest.openEnded(account, run, () => (this.#isDamaged = true));
    this.#record.then((record) => record.readAhead()).catch(() => undefined);
  }

  expect(): void {}

  get because(): string | undefined {
    return this.#isDamaged ? `the record of the last run there, ${this.#run}, is damaged` : undefined;
  }

  async compare(entries: readonly Entry[], outcomes: Outcome[]): Promise<Entry[]> {
    const { sorted, keys } = await inKeyOrder(entries, ({ path }) => keyOf(path));
    await using record = await this.#record;
    const settled: Outcome[] = [];
    const changed: Entry[] = [];
    let next = 0;
    for await (const { at, entry: before } of record.find(keys)) {
      while (next < at) changed.push(sorted[next++]!);
      const outcome = this.#compare(sorted[next]!, before);
      if (outcome) settled.push(outcome);
      else changed.push(sorted[next]!);
      next++;
      if (this.#isDamaged) break;
    }
    if (this.#isDamaged) {
      for (const entry of entries) delete entry.existing;
      return await this.#instead().compare(entries, outcomes);
    }
    for (const outcome of settled) outcomes.push(outcome);
    return [...changed, ...sorted.slice(next)];
  }

  /** An entry's outcome, or the entry with what it takes to overwrite its blob. */
  #compare(
    entry: Entry,
    { outcome, kind, size, mtime, ctime, md5, etag, target }: ManifestEntry,
  ): Outcome | undefined {
    if ((outcome !== "copied" && outcome !== "unchanged") || kind === "other" || md5 === undefined)
      return undefined;
    const existing: Entry["existing"] = etag === undefined ? undefined : { etag, md5 };
    if (existing) entry.existing = existing;
    if (kind !== entry.kind) return undefined;
    if (!this.#how.checksum) {
      if (!looksUnchanged(entry, { size, mtime })) return undefined;
      const sameCtime = ctime === undefined || entry.ctime === undefined || ctime === entry.ctime;
      if (sameCtime) return unchanged(entry, { md5, etag, target });
      if (existing) existing.stale = true;
    }
    if (existing) Object.assign(existing, { kind, size });
    return undefined;
  }
}
