import type { FileHandle } from "node:fs/promises";
import { openScratchFile } from "../files/scratch-file.ts";
import { compareKeys } from "../model/order.ts";
import type { OnDamage } from "./blob-piece.ts";
import { combine, type Line } from "./line.ts";
import { SORTED_HERE, type Piece } from "./piece.ts";

/** Characters of lines that are sorted at once; in memory they take about four times that. */
const RUN = 8 * 1024 * 1024;
/** Characters of a block, which is read as a whole. */
const BLOCK = 64 * 1024;

/**
 * Sorts lines in a temporary file: in runs of some thousands, cut into blocks that are read like any other piece of a manifest.
 * The file is about as large as the lines; merging takes memory for one block of each run.
 */
class Spool {
  readonly pieces: Piece[] = [];
  /** Defects of the records that the lines came from. */
  readonly damage: { name: string; reason: string }[] = [];
  readonly #file: FileHandle;
  #length = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** @throws Error when the temporary directory cannot be written */
  static async of(linesOf: (onDamage: OnDamage) => AsyncIterable<Line[]>): Promise<Spool> {
    const spool = new Spool(await openScratchFile());
    try {
      let some: Line[] = [];
      let length = 0;
      const lines = linesOf((record, reason) => spool.damage.push({ name: record, reason }));
      for await (const page of lines) {
        for (const line of page) {
          some.push(line);
          length += line.key.length + 150;
        }
        if (length < RUN) continue;
        await spool.#write(some);
        [some, length] = [[], 0];
      }
      await spool.#write(some);
      return spool;
    } catch (error) {
      await spool.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #write(lines: Line[]): Promise<void> {
    lines.sort((a, b) => compareKeys(a.key, b.key));
    let block: Line[] = [];
    let length = 0;
    for (const line of lines) {
      const before = block.at(-1);
      if (before?.key === line.key) {
        block[block.length - 1] = combine(before, line);
        continue;
      }
      if (length >= BLOCK) {
        await this.#append(block);
        [block, length] = [[], 0];
      }
      block.push(line);
      length += line.key.length + 150;
    }
    if (block.length > 0) await this.#append(block);
  }

  async #append(block: readonly Line[]): Promise<void> {
    const content = Buffer.from(JSON.stringify(block));
    const at = this.#length;
    const { length } = content;
    await this.#file.write(content, 0, length, at);
    this.#length += length;
    const read = async (): Promise<Line[]> => {
      const { buffer } = await this.#file.read(Buffer.alloc(length), 0, length, at);
      return JSON.parse(buffer.toString()) as Line[];
    };
    this.pieces.push({
      first: block[0]!.key,
      last: block.at(-1)!.key,
      bytes: length,
      depth: SORTED_HERE,
      ofDirectories: false,
      async *pages() {
        yield await read();
      },
    });
  }
}

/** Spools that are kept after use. */
const KEPT = 2;

const kept = new Map<string, { spool: Promise<Spool>; users: number }>();

/** A spool that other manifests may be reading, too. */
export interface Borrowed {
  spool: Spool;
  release(): void;
}

/** The spool of some lines; made unless it was kept. @param mark identifies the lines */
export async function borrowSpool(
  mark: string,
  linesOf: (onDamage: OnDamage) => AsyncIterable<Line[]>,
): Promise<Borrowed> {
  const entry = kept.get(mark) ?? { spool: Spool.of(linesOf), users: 0 };
  kept.set(mark, entry);
  entry.users++;
  const release = (): void => {
    entry.users--;
    const idle = [...kept].filter(([, { users }]) => users === 0);
    for (const [other, { spool }] of idle.slice(0, Math.max(0, kept.size - KEPT))) {
      kept.delete(other);
      void spool.then((it) => it.close());
    }
  };
  try {
    return { spool: await entry.spool, release };
  } catch (error) {
    kept.delete(mark);
    throw error;
  }
}
