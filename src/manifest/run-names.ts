import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { inTurns } from "../model/in-turns.ts";
import { Ledger } from "../ledger/ledger.ts";
import { missingRecords } from "./missing-records.ts";
import { readPage } from "./page.ts";
import { mapRun } from "./run-map.ts";
import { NameSet } from "./name-set.ts";
import type { SourceRun } from "./source-run.ts";

/** Blobs of the manifest that are read at a time. */
const READS = 16;

/** The names that a run has, to tell what is extra in a directory. */
export class RunNames {
  readonly #names: NameSet;
  /** Names that were there and could not be backed up, with all below them: nobody knows what they should be. */
  readonly #missed: ReadonlySet<string>;

  private constructor(names: NameSet, missed: ReadonlySet<string>) {
    this.#names = names;
    this.#missed = missed;
  }

  /**
   * Reads the names of a run.
   * @throws IncompleteRun when it is not sure that the record has all of them: then nothing is extra
   */
  static async read(service: BlobServiceClient, source: SourceRun): Promise<RunNames> {
    if (source.status !== "completed" && source.status !== "failed") {
      throw new IncompleteRun(`the run ${source.id} did not go on to its end`);
    }
    const ledger = new Ledger(service, source.id);
    const pages = (await mapRun({ service }, source.id)).outcomes;
    const [lost] = await missingRecords(ledger, pages);
    if (lost) throw new IncompleteRun(`${lost.path}: ${lost.reason}`);
    const names = new NameSet();
    const missed = new Set<string>();
    await pMap(
      pages,
      async (blob) => {
        const page = await readPage(ledger, blob);
        const [damage] = page.damage;
        if (damage) throw new IncompleteRun(`${damage.path}: ${damage.reason}`);
        await inTurns(page.items, ({ path, kind }) => {
          names.add(kind === "directory" ? `${path}/` : path);
          names.addParents(path);
        });
        for (const path of page.missed) {
          missed.add(path);
          names.addParents(path);
        }
      },
      { concurrency: READS },
    );
    return new RunNames(names, missed);
  }

  /** Whether the run has a file or link of this name. */
  file(path: string): boolean {
    return this.#names.has(path);
  }

  /** Whether the run has a directory of this name, empty or with something in it. */
  directory(path: string): boolean {
    return this.#names.has(`${path}/`);
  }

  /** Whether the name, or a directory above it, could not be backed up. */
  missed(path: string): boolean {
    if (this.#missed.size === 0) return false;
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      if (this.#missed.has(path.slice(0, end))) return true;
    }
    return this.#missed.has("");
  }
}

/** The record of a run cannot say what is extra, for people. */
export class IncompleteRun extends Error {}
