import { namesIn } from "../model/order.ts";
import { nameOf } from "../model/path.ts";
import type { Line, ManifestEntry } from "./line.ts";
import { Manifest } from "./manifest.ts";
import type { Account } from "./run-map.ts";
import { missingRecords } from "./run-records.ts";
import type { SourceRun } from "./source-run.ts";

/** The record of a run is incomplete, so what is extra is not known. */
export class IncompleteRun extends Error {}

/** What a run has by a name. `missed`: the backup could not read it or anything below it, so its contents are unknown. */
export type Known = "file" | "directory" | "missed";

/** How many lines to skip before the walk is restarted further on. */
const MOST_PASSED = 1000;

/**
 * What a run has of the names in a tree, to find what is extra there. Directories must be asked for in the order of a
 * manifest, so that one walk through the manifest answers all.
 */
export class RunNames implements AsyncDisposable {
  readonly #manifest: Manifest;
  #walk: AsyncGenerator<Line> | undefined;
  #next: Line | undefined;
  /** The end of the last directory that was asked for. */
  #end = "";

  private constructor(manifest: Manifest) {
    this.#manifest = manifest;
  }

  /** Reads no names yet. */
  static async open(account: Account, run: string): Promise<RunNames> {
    const onDamage = (name: string, reason: string): never => {
      throw new IncompleteRun(`its record ${name} is damaged: ${reason}`);
    };
    return new RunNames(await Manifest.open(account, run, onDamage));
  }

  /**
   * Makes sure that the run finished, and that none of its records is missing.
   * @throws IncompleteRun
   */
  async assertWhole({ id, status }: SourceRun): Promise<void> {
    if (status !== "completed" && status !== "failed")
      throw new IncompleteRun(`the run ${id} did not finish`);
    const { ledger, map } = this.#manifest;
    const [lost] = await missingRecords(ledger, map.outcomes);
    if (lost) throw new IncompleteRun(`${lost.path}: ${lost.reason}`);
  }

  /**
   * What the run has by some names in a directory; those that it has not are left out.
   * @throws IncompleteRun if one of the records that may have them is damaged
   */
  async of(directory: string, names: readonly string[]): Promise<Map<string, Known>> {
    const wanted = new Set(names);
    const known = new Map<string, Known>();
    const { from, to } = namesIn(directory);
    await this.#seek(from);
    this.#end = to;
    for (; this.#next && this.#next.key < to; await this.#advance()) {
      const { entry, own } = this.#next;
      const name = nameOf(entry.path);
      if (!own && wanted.has(name)) known.set(name, knownAs(entry));
    }
    return known;
  }

  /** Goes to the first line from a key on. */
  async #seek(from: string): Promise<void> {
    for (let passed = 0; this.#walk && from >= this.#end && passed < MOST_PASSED; passed++) {
      if (!this.#next || this.#next.key >= from) return;
      await this.#advance();
    }
    await this.#walk?.return(undefined);
    this.#walk = this.#manifest.lines({ from });
    await this.#advance();
  }

  async #advance(): Promise<void> {
    this.#next = (await this.#walk?.next())?.value ?? undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#walk?.return(undefined);
    await this.#manifest.close();
  }
}

function knownAs({ kind, outcome }: ManifestEntry): Known {
  if (outcome === "failed" || outcome === "skipped" || outcome === "vanished") return "missed";
  return kind === "directory" ? "directory" : "file";
}
