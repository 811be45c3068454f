import { createHash } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { inTurns } from "../model/in-turns.ts";
import { Ledger } from "../ledger/ledger.ts";
import { listManifest, missingRecords, readManifest } from "./manifest.ts";
import { isPath, toBytes } from "../model/path.ts";
import type { SourceRun } from "./source-run.ts";

/** Blobs of the manifest that are read at a time: a million files' take seconds then, and each slice reads them all. */
const READS = 16;

/**
 * The names that a run has, to tell what is extra in a directory. Held as hashes of 48 bits: 8 bytes a name, 80 MB for
 * ten million. Where two names share a hash the extra one is taken for one of the run's, and stays.
 */
export class RunNames {
  readonly #names: readonly Float64Array[];
  /** Names that were there and could not be backed up, with all below them: nobody knows what they should be. */
  readonly #missed: ReadonlySet<string>;

  private constructor(names: readonly Float64Array[], missed: ReadonlySet<string>) {
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
    const pages = await listManifest(service, source.id);
    const [lost] = await missingRecords(ledger, pages);
    if (lost) throw new IncompleteRun(`${lost.path}: ${lost.reason}`);
    const names = new Names();
    const missed = new Set<string>();
    await pMap(
      pages,
      async (blob) => {
        const page = await readManifest(ledger, blob);
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
    return new RunNames(names.sorted(), missed);
  }

  /** Whether the run has a file or link of this name. */
  file(path: string): boolean {
    return this.#has(path);
  }

  /** Whether the run has a directory of this name, empty or with something in it. */
  directory(path: string): boolean {
    return this.#has(`${path}/`);
  }

  /** Whether the name, or a directory above it, could not be backed up. */
  missed(path: string): boolean {
    if (this.#missed.size === 0) return false;
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      if (this.#missed.has(path.slice(0, end))) return true;
    }
    return this.#missed.has("");
  }

  #has(name: string): boolean {
    const wanted = hashOf(name);
    return this.#names.some((sorted) => includes(sorted, wanted));
  }
}

function includes(sorted: Float64Array, wanted: number): boolean {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]! < wanted) from = middle + 1;
    else to = middle;
  }
  return sorted[from] === wanted;
}

/** The record of a run cannot say what is extra, for people. */
export class IncompleteRun extends Error {}

/** Names in one piece, which is sorted at once: in some 20 ms. */
const PIECE = 2 ** 16;

class Names {
  readonly #full: Float64Array[] = [];
  #hashes = new Float64Array(PIECE);
  #length = 0;
  #lastParent = "";

  add(name: string): void {
    this.#hashes[this.#length++] = hashOf(name);
    if (this.#length < PIECE) return;
    this.#full.push(this.#hashes.sort());
    this.#hashes = new Float64Array(PIECE);
    this.#length = 0;
  }

  addParents(path: string): void {
    const parent = path.slice(0, path.lastIndexOf("/") + 1);
    // Most names follow another of the same directory.
    if (parent === this.#lastParent) return;
    this.#lastParent = parent;
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      this.add(`${path.slice(0, end)}/`);
    }
  }

  sorted(): Float64Array[] {
    return [...this.#full, this.#hashes.slice(0, this.#length).sort()];
  }
}

function hashOf(name: string): number {
  // No directory has a name that is no path; a record that others wrote may.
  return createHash("md5")
    .update(isPath(name) ? toBytes(name) : name)
    .digest()
    .readUIntBE(0, 6);
}
