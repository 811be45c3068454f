import { createHash, randomUUID } from "node:crypto";
import { z } from "zod";
import { listRange, readRecord } from "../ledger/damaged.ts";
import type { Ledger, ListRange } from "../ledger/ledger.ts";

/** Lines in one blob of the ledger, sorted by partition: a range of it for each. */
export interface Sorted {
  ranges: ListRange[];
}

/** Sorts lines by the partition that a blob's name belongs to, and writes them as one blob. */
export class Sorter {
  readonly #lines: string[][];

  constructor(partitions: number) {
    this.#lines = Array.from({ length: partitions }, () => []);
  }

  /** @param name a blob's name, as the service has it */
  add(name: string, value: unknown): void {
    const partition = createHash("sha256").update(name).digest().readUInt32BE(0) % this.#lines.length;
    this.#lines[partition]!.push(`${JSON.stringify(value)}\n`);
  }

  /** Writes the lines, and records where they are as `lists/{name}.json`, unless another delivery of the activity did. */
  async settle<More extends object>(ledger: Ledger, name: string, more: More): Promise<Sorted & More> {
    // Named by attempt: what was handed out is never changed by another delivery.
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
