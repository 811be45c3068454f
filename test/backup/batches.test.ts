import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutPending } from "../../src/backup/left.ts";
import type { Pending } from "../../src/backup/read-names.ts";
import {
  COST_OF_FILES as COST,
  cutIntoBatches,
  cutRest,
  MAX_BATCHES,
  MAX_PARTS,
} from "../../src/ledger/cut.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { writePieces } from "../../src/ledger/part-record.ts";
import type { Entry } from "../../src/model/entry.ts";

const MIB = 1024 * 1024;

const entriesOf = (sizes: number[]): Entry[] =>
  sizes.map((size, index) => ({ path: `ü${index}`, kind: "file", size, mtime: 0, mode: 0o644 }));

const sizes = fc.array(fc.oneof(fc.nat(100), fc.nat(1_000_000), fc.nat(500_000_000)), { maxLength: 400 });
/** Some of the files are larger. */
const LARGE = 450_000_000;

describe("batches", () => {
  it("each file is in one batch, one lane or left, in order; none is empty; never more than 64 of both", () => {
    fc.assert(
      fc.property(sizes, (list) => {
        const files = entriesOf(list);
        const { batches, lanes, later } = cutIntoBatches(files, COST, { largeFile: LARGE });
        const small = files.filter(({ size }) => size <= LARGE);
        expect([...batches.flat(), ...later]).toEqual(small);
        const large = files.filter(({ size }) => size > LARGE);
        expect(lanes.flatMap((lane) => lane.map(({ path }) => path)).sort()).toEqual(
          large.map(({ path }) => path).sort(),
        );
        lanes.forEach((lane, index) =>
          expect(lane).toEqual(large.filter((_file, number) => number % 16 === index)),
        );
        expect([...batches, ...lanes].every(({ length }) => length > 0)).toBe(true);
        expect(batches.length + lanes.length).toBeLessThanOrEqual(MAX_BATCHES);
        expect(batches.length > 0 || small.length === 0).toBe(true);
      }),
    );
  });

  it("are of nearly equal cost: none costs more than its share and one file more, nor than 64 MiB and one more", () => {
    fc.assert(
      fc.property(sizes, (list) => {
        const { batches, lanes } = cutIntoBatches(entriesOf(list), COST, { largeFile: LARGE });
        const costs = batches.map(costOfBatch);
        const files = batches.flat();
        const total = costs.reduce((sum, cost) => sum + cost, 0);
        const biggest = Math.max(0, ...files.map(costOf));
        const limit = MAX_BATCHES - lanes.length;
        const share = total / Math.min(limit, files.length, Math.max(1, Math.floor(total / (8 * MIB))));
        for (const cost of costs) expect(cost).toBeLessThanOrEqual(Math.min(share, COST.most) + biggest);
      }),
    );
  });

  it.each([
    [1, 0, 1],
    [100, 4096, 1],
    [1_000, 4096, 8],
    [20_000, 4096, 64],
    [5, 20 * MIB, 5],
    [64, 8 * MIB, 64],
  ])("%i files of %i bytes are %i batches: what is worth an activity", (files, size, batches) => {
    const entries = entriesOf(Array<number>(files).fill(size));
    expect(cutIntoBatches(entries, COST, { largeFile: Infinity }).batches).toHaveLength(batches);
  });

  it("leaves large files where a part is to take only some", () => {
    const files = entriesOf(Array<number>(20).fill(9));
    const { batches, lanes, later } = cutIntoBatches(files, COST, { largeFile: 8, mostLarge: 16 });
    expect({ batches, lanes: lanes.flat(), later }).toEqual({
      batches: [],
      lanes: files.slice(0, 16),
      later: files.slice(16),
    });
  });
});

function costOf({ size }: { size: number }): number {
  return size + COST.ofFile;
}

function costOfBatch(files: readonly Entry[]): number {
  return files.reduce((sum, file) => sum + costOf(file), 0);
}

describe("what is left", () => {
  const pending = fc.array(
    fc.oneof(
      fc.string().map((file): Pending => ({ file })),
      fc.string().map((dir): Pending => ({ dir })),
    ),
    { maxLength: 300 },
  );

  it("to walk is cut so that each item is in exactly one part, no part is empty, and there are at most 32", async () => {
    await fc.assert(
      fc.asyncProperty(
        pending,
        fc.integer({ min: 1, max: 1000 }),
        fc.nat(1000),
        async (left, perListing, seen) => {
          const parts = await cutPending(left, perListing, seen);
          expect(parts.length).toBeLessThanOrEqual(MAX_PARTS);
          expect(parts.length === 0).toBe(left.length === 0);
          expect(parts.every(({ length }) => length > 0)).toBe(true);
          const texts = (items: readonly Pending[]) => items.map((item) => JSON.stringify(item)).sort();
          expect(texts(parts.flat())).toEqual(texts(left));
        },
      ),
    );
  });

  it("is at least two parts where one would be too much, so that dividing ends", () => {
    const weights = fc.array(fc.nat(100_000), { minLength: 2, maxLength: 100 });
    fc.assert(
      fc.property(weights, (list) => {
        fc.pre(list.reduce((sum, weight) => sum + weight, 0) > 20_000);
        const parts = cutRest(list, (weight) => weight, 20_000);
        expect(parts.flat()).toEqual(list);
        expect(parts.length).toBeGreaterThan(1);
        expect(parts.length).toBeLessThanOrEqual(MAX_PARTS);
      }),
    );
  });
});

it("the pieces of a list are its ranges, one after the other, by bytes", async () => {
  let written = Buffer.alloc(0);
  const ledger = {
    writeOnce: (_name: string, body: string) => {
      written = Buffer.from(body);
      return Promise.resolve({ won: true, versioned: false });
    },
  } as unknown as Ledger;
  const pieces = [entriesOf([1, 2]), entriesOf([3]), entriesOf([4, 5, 6])];
  const ranges = await writePieces(ledger, "list", pieces);
  expect(ranges.map(({ list }) => list)).toEqual(["list", "list", "list"]);
  const read = ranges.map(({ offset, length }) =>
    written
      .subarray(offset, offset + length)
      .toString()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Entry),
  );
  expect(read).toEqual(pieces);
  expect(ranges.at(-1)!.offset + ranges.at(-1)!.length).toBe(written.length);
});
