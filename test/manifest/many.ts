/** Writes the record of a run of very many files straight into an account, as the run itself would have. */
import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { collect } from "../../src/backup/collect.ts";
import { cutPending, knownDirectories } from "../../src/backup/left.ts";
import type { Children, Look, Pending } from "../../src/backup/read-names.ts";
import type { Walker } from "../../src/backup/walk.ts";
import { COST_OF_FILES, cutIntoBatches } from "../../src/ledger/cut.ts";
import { settleDirectories } from "../../src/ledger/directories.ts";
import { inKeyOrder, keyOf } from "../../src/model/order.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { batchOutcomes } from "../../src/ledger/names.ts";
import { settleOutcomes } from "../../src/ledger/outcomes.ts";
import type { Outcome } from "../../src/model/outcome.ts";

const SEEN = { mtime: 1_700_000_000_000_000, ctime: 1_700_000_000_000_000, mode: 0o755 };
const MD5 = Buffer.alloc(16).toString("base64");
const LIST_FILES = 20_000;

/** A tree of directories in directories, each with as many names. */
class FakeWalker implements Pick<Walker, "readDirectories" | "lookAll" | "emptyDirectory"> {
  readonly #names: string[];

  constructor(names: number) {
    // In no order, as a directory gives them.
    this.#names = Array.from({ length: names }, (_none, number) => {
      return `name-${String((number * 37) % names).padStart(4, "0")}`;
    });
  }

  async *readDirectories(paths: readonly string[]): AsyncGenerator<Children> {
    for (const path of paths) yield this.#childrenOf(path);
  }

  #childrenOf(path: string): Children {
    const depth = path === "" ? 0 : path.split("/").length;
    const names = this.#names.map((name) => (path === "" ? name : `${path}/${name}`));
    const own = { path, ...SEEN, dev: 1, ino: 1 };
    return { directories: depth < 2 ? names : [], files: depth < 2 ? [] : names, empty: false, own };
  }

  async lookAll(paths: readonly string[]): Promise<Look[]> {
    return paths.map((path) => ({ entry: { path, kind: "file", size: 4096, ...SEEN } }));
  }

  async emptyDirectory(): Promise<Look> {
    return undefined;
  }
}

/** @param names in each directory: of 100 the run has a million files, in 10,000 directories */
export async function writeRunOf(service: BlobServiceClient, run: string, names: number): Promise<void> {
  const ledger = new Ledger(service, run);
  const walker = new FakeWalker(names);
  const write = async (part: string, given: Pending[]): Promise<void> => {
    const limits = { files: LIST_FILES, milliseconds: Infinity, depth: part.split(".").length - 1 };
    const { entries, ...collected } = await collect(walker, given, limits, () => undefined);
    const { sorted } = await inKeyOrder(entries, ({ path }) => keyOf(path));
    const { batches } = cutIntoBatches(sorted, COST_OF_FILES, { largeFile: Infinity });
    await pMap(
      batches,
      async (some, batch) => {
        const outcomes = some.map(({ path, kind, size, mtime, mode }): Outcome => {
          return { path, outcome: "copied", kind, size, mtime, mode, md5: MD5 };
        });
        await settleOutcomes(ledger, batchOutcomes({ part, batch }), outcomes);
      },
      { concurrency: 8 },
    );
    const known = await knownDirectories(async (path) => ({ path, ...SEEN }), given, collected, Infinity);
    await settleDirectories(ledger, part, { directories: { list: "", offset: 0, length: 1 } }, known);
    const rest = await cutPending(collected.left, LIST_FILES, entries.length);
    for (const [number, left] of rest.entries()) await write(`${part}.${number}`, left);
  };
  await write("0", [{ dir: "" }]);
}
