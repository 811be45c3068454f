import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costOf, cut, MAX_BATCHES, MOST_A_BATCH, take } from "../../src/ledger/batches.ts";
import type { Entry } from "../../src/model/entry.ts";
import { cutRest } from "../../src/backup/rest.ts";
import { MAX_PARTS } from "../../src/ledger/listing.ts";
import type { Pending } from "../../src/backup/walk.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";

const MIB = 1024 * 1024;

const entriesOf = (sizes: number[]): Entry[] =>
  sizes.map((size, index) => ({ path: `ü${index}`, kind: "file", size, mtime: 0, mode: 0o644 }));
const linesOf = (entries: Entry[]): string[] => entries.map((entry) => `${JSON.stringify(entry)}\n`);

const sizes = fc.array(fc.oneof(fc.nat(100), fc.nat(1_000_000), fc.nat(500_000_000)), { maxLength: 400 });
const limits = fc.integer({ min: 48, max: MAX_BATCHES });

describe("batches", () => {
  it("each entry is in exactly one, in order; none is empty; never more than the limit", () => {
    fc.assert(
      fc.property(sizes, limits, (list, limit) => {
        const entries = entriesOf(list);
        const lines = linesOf(entries);
        const batches = cut("list", entries, lines, limit);
        const content = Buffer.from(lines.join(""));
        let end = 0;
        const seen = batches.flatMap(({ list: name, offset, length, files, bytes }) => {
          expect(name).toBe("list");
          expect(offset).toBe(end);
          end = offset + length;
          const entriesInFolder = content.subarray(offset, end).toString().split("\n").slice(0, -1);
          const parsed = entriesInFolder.map((line) => JSON.parse(line) as Entry);
          expect(parsed).toHaveLength(files);
          expect(parsed.reduce((sum, { size }) => sum + size, 0)).toBe(bytes);
          expect(files).toBeGreaterThan(0);
          return parsed;
        });
        expect(end).toBe(content.length);
        expect(seen).toEqual(entries);
        expect(batches.length).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it("are of nearly equal cost: none costs more than its share and one entry more", () => {
    fc.assert(
      fc.property(sizes, limits, (list, limit) => {
        const entries = entriesOf(list);
        const batches = cut("list", entries, linesOf(entries), limit);
        const costs = batches.map(costOfBatch);
        const total = costs.reduce((sum, cost) => sum + cost, 0);
        const biggest = costOf({ size: Math.max(0, ...list) });
        for (const cost of costs)
          expect(cost).toBeLessThanOrEqual(
            total / Math.min(limit, list.length, Math.max(1, Math.floor(total / (8 * MIB)))) + biggest,
          );
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
    expect(cut("list", entries, linesOf(entries))).toHaveLength(batches);
  });

  it("of what is taken cost at most 64 MiB and one file more; the rest is left, and something is always taken", () => {
    fc.assert(
      fc.property(sizes, limits, (list, limit) => {
        const entries = entriesOf(list);
        const { now, later } = take(entries, limit);
        expect([...now, ...later]).toEqual(entries);
        expect(now.length > 0 || entries.length === 0).toBe(true);
        const biggest = costOf({ size: Math.max(0, ...list) });
        for (const batch of cut("list", now, linesOf(now), limit))
          expect(costOfBatch(batch)).toBeLessThanOrEqual(MOST_A_BATCH + biggest);
      }),
    );
  });
});

function costOfBatch({ bytes, files }: { bytes: number; files: number }): number {
  return bytes + files * costOf({ size: 0 });
}

/** Takes what is written, in memory: what is tested is where the cuts are. */
function paper(): { ledger: Ledger; written: () => Buffer } {
  let content: Buffer = Buffer.alloc(0);
  const ledger = {
    writeOnce: (_name: string, body: Buffer) => {
      content = body;
      return Promise.resolve({ won: true, versioned: false });
    },
  } as unknown as Ledger;
  return { ledger, written: () => content };
}

describe("what is left to walk", () => {
  const pending = fc.array(
    fc.oneof(
      fc.string().map((file): Pending => ({ file })),
      fc.string().map((dir): Pending => ({ dir })),
    ),
    { maxLength: 300 },
  );

  it("is cut so that each item is in exactly one part, no part is empty, and there are at most 32", async () => {
    await fc.assert(
      fc.asyncProperty(
        pending,
        fc.integer({ min: 1, max: 1000 }),
        fc.nat(1000),
        async (left, perListing, seen) => {
          const { ledger, written } = paper();
          const parts = await cutRest(left, ledger, "rest", perListing, seen);
          expect(parts.length).toBeLessThanOrEqual(MAX_PARTS);
          expect(parts.length === 0).toBe(left.length === 0);
          let end = 0;
          const items = parts.flatMap(({ list, offset, length }) => {
            expect(list).toBe("rest");
            expect(offset).toBe(end);
            expect(length).toBeGreaterThan(0);
            end = offset + length;
            const lines = written().subarray(offset, end).toString().split("\n").slice(0, -1);
            return lines.map((line) => JSON.parse(line) as Pending);
          });
          expect(end).toBe(written().length);
          const texts = (list: readonly Pending[]) => list.map((item) => JSON.stringify(item)).sort();
          expect(texts(items)).toEqual(texts(left));
        },
      ),
    );
  });
});
