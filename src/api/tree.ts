import { DamagedRecord } from "../ledger/damaged.ts";
import { OUTCOMES_FOLDER } from "../ledger/names.ts";
import type { RunRecord } from "../ledger/run-record.ts";
import type { OnDamage } from "../manifest/blob-piece.ts";
import type { ManifestEntry } from "../manifest/line.ts";
import { Manifest } from "../manifest/manifest.ts";
import { printable } from "../model/path.ts";
import { unsafePath } from "../model/safe-path.ts";
import type { Services } from "../services.ts";
import { HttpProblem } from "./problem.ts";

/** Defects of a run's records that are kept to be named. */
const MOST_DEFECTS = 100;

/** A defect of a run's records, as a message. */
interface Defect {
  record: string;
  reason: string;
}

/** A backup's tree, and what is wrong with the records that were read for it. */
export class Tree {
  readonly #run: RunRecord;
  readonly #manifest: Manifest;
  readonly #defects: ReadonlyMap<string, Defect>;
  readonly #report: OnDamage;

  private constructor(
    run: RunRecord,
    manifest: Manifest,
    { defects, report }: { defects: ReadonlyMap<string, Defect>; report: OnDamage },
  ) {
    this.#run = run;
    this.#manifest = manifest;
    this.#defects = defects;
    this.#report = report;
  }

  /** Opens the tree of a backup while it is worked with. */
  static async with<T>(
    { storage: service, settings: { behindProxy } }: Services,
    run: RunRecord,
    work: (tree: Tree) => Promise<T>,
  ): Promise<T> {
    const defects = new Map<string, Defect>();
    const report: OnDamage = (record, reason) => {
      if (defects.size < MOST_DEFECTS) defects.set(`${record} ${reason}`, { record, reason });
    };
    const account = { service, behindProxy };
    // A terminated run may still be written to.
    const manifest = await (run.counts && run.status !== "running"
      ? Manifest.openEnded(account, run.id, report)
      : Manifest.open(account, run.id, report));
    try {
      return await work(new Tree(run, manifest, { defects, report }));
    } finally {
      await manifest.close();
    }
  }

  get defects(): Defect[] {
    return [...this.#defects.values()];
  }

  /** The names in a directory; see Manifest. Names that no backup writes count as defects. */
  directory(path: string, after?: string): AsyncGenerator<ManifestEntry> {
    return this.#sound(this.#manifest.directory(path, after === undefined ? {} : { after }));
  }

  /** The same of all that is below a directory. */
  below(path: string, after?: string): AsyncGenerator<ManifestEntry> {
    return this.#sound(this.#manifest.walk(path, after === undefined ? {} : { after }));
  }

  async *#sound(entries: AsyncIterable<ManifestEntry>): AsyncGenerator<ManifestEntry> {
    for await (const entry of entries) {
      const why = unsafePath(entry.path, "linux");
      if (why === undefined) yield entry;
      else this.#report(OUTCOMES_FOLDER, `it has ${quoted(entry.path)}: ${why}`);
    }
  }

  /** The mode and time of a directory, as far as the backup knows them. */
  async attributes(path: string): Promise<Pick<ManifestEntry, "mtime" | "mode">> {
    const { mtime, mode } = (await this.#manifest.entry(path)) ?? {};
    return { ...(mtime === undefined ? {} : { mtime }), ...(mode === undefined ? {} : { mode }) };
  }

  /**
   * What the backup has under a path.
   * @throws HttpProblem 404; DamagedRecord if a damaged record may be the reason that it has nothing
   */
  async entry(path: string): Promise<ManifestEntry> {
    const entry = await this.#manifest.entry(path);
    if (entry) return entry;
    const [defect] = this.defects;
    const { id, status } = this.#run;
    if (defect) throw new DamagedRecord(`${id}/${defect.record}`, defect.reason);
    const soFar = status === "running" ? " so far" : "";
    throw new HttpProblem(404, `The backup ${id} has no ${quoted(path)}${soFar}.`);
  }
}

/** The refusal of a name that a backup found but does not contain. */
export function notBackedUp({ path, outcome, reason }: ManifestEntry): HttpProblem {
  const why = reason === undefined ? "" : `: ${reason}`;
  return new HttpProblem(404, `${quoted(path)} is not in this backup; it is recorded as ${outcome}${why}.`);
}

/** A path in a message. */
export function quoted(path: string): string {
  return `"${printable(path.slice(0, 300))}"`;
}
