import { createHash, randomUUID } from "node:crypto";
import { z } from "zod";
import { readRecord } from "../ledger/damaged.ts";
import type { Ledger, ListRange } from "../ledger/ledger.ts";
import { listRange } from "../ledger/schemas.ts";

/** Lines in one blob of the ledger, sorted by partition, with a range for each. */
export interface Sorted {
  ranges: ListRange[];
}

/** Sorts lines by the partition of a blob's name, and writes them as one blob. */
export class Sorter {
  readonly #lines: string[][];

  constructor(partitions: number) {
    this.#lines = Array.from({ length: partitions }, () => []);
  }

  /** @param name the blob's name: all lines of one name are in one partition */
  add(name: string, value: unknown): void {
    const partition = createHash("sha256").update(name).digest().readUInt32BE(0) % this.#lines.length;
    this.#lines[partition]!.push(`${JSON.stringify(value)}\n`);
  }

  /** Writes the lines, and records their ranges as `lists/{name}.json`, unless another delivery of the activity has. */
  async settle<More extends object>(ledger: Ledger, name: string, more: More): Promise<Sorted & More> {
    // A name of its own for each attempt: another delivery never changes a list in use.
    const list = `lists/${name}-${randomUUID()}.jsonl`;
    const bodies = this.#lines.map((lines) => Buffer.from(lines.join("")));
    let offset = 0;
    const ranges = bodies.map(({ length }) => ({ list, offset: (offset += length) - length, length }));
    if (offset > 0) await ledger.writeOnce(list, Buffer.concat(bodies));
    const sorted = { ranges, ...more };
    const { won } = await ledger.writeOnce(`lists/${name}.json`, JSON.stringify(sorted));
    return won ? sorted : ((await readSorted<More>(ledger, name)) ?? sorted);
  }
}

const schema = z.looseObject({ ranges: z.array(listRange), next: z.string().optional() });

export async function readSorted<More extends object>(
  ledger: Ledger,
  name: string,
): Promise<(Sorted & More) | undefined> {
  const text = await ledger.read(`lists/${name}.json`);
  return text === undefined ? undefined : readRecord(text, schema, `${ledger.runId}/lists/${name}.json`);
}
