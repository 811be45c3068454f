import fc from "fast-check";
import { expect, it } from "vitest";
import {
  allBelow,
  directoryKey,
  keyOf,
  keyOfFence,
  lowerFence,
  namesIn,
  upperFence,
  type KeyRange,
} from "../../src/model/order.ts";

const segment = fc
  .array(
    fc.constantFrom("a", "b", ".", "!", "~", "\u0001", "\u0002", "0", "é", "\uffff", "\udcff", "😀", "\\"),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((characters) => characters.join(""));
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"));
const long = fc
  .tuple(path, fc.array(fc.constantFrom("x", "\uffff", "/y", "~", "é"), { minLength: 50, maxLength: 600 }))
  .map(([start, more]) => start + more.join(""));

const directoryOf = (name: string) => name.slice(0, Math.max(0, name.lastIndexOf("/")));
const isIn = (key: string, { from, to }: KeyRange) => from <= key && (to === undefined || key < to);

/** Segment by segment, as the documents say it. */
function compareSegments(a: string[], b: string[]): number {
  for (const [index, one] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (one !== other) return one < other ? -1 : 1;
  }
  return a.length - b.length;
}

it("orders by directory, then by name", () => {
  fc.assert(
    fc.property(path, path, (a, b) => {
      const segments = (name: string) => name.split("/").slice(0, -1);
      const byDirectory = compareSegments(segments(a), segments(b));
      const names = [a, b].map((name) => name.slice(name.lastIndexOf("/") + 1));
      const expected = byDirectory || compareSegments([names[0]!], [names[1]!]);
      const [one, other] = [keyOf(a), keyOf(b)];
      expect(one < other ? -1 : one > other ? 1 : 0).toBe(Math.sign(expected));
    }),
    { numRuns: 5_000 },
  );
});

it("keeps the names of a directory together, and all that is below it", () => {
  fc.assert(
    fc.property(path, path, (directory, name) => {
      const key = keyOf(name);
      expect(isIn(key, namesIn(directory))).toBe(directoryOf(name) === directory);
      expect(isIn(key, allBelow(directory))).toBe(name.startsWith(`${directory}/`));
      expect(isIn(key, namesIn(""))).toBe(!name.includes("/"));
      expect(isIn(key, allBelow(""))).toBe(true);
      expect(key >= directoryKey(directoryOf(name))).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

it("makes fences of at most 1,000 characters of ASCII that nothing is outside of", () => {
  fc.assert(
    fc.property(fc.oneof(path, long), (name) => {
      const key = keyOf(name);
      const [lower, upper] = [lowerFence(key), upperFence(key)];
      for (const fence of [lower, upper]) expect(fence).toMatch(/^[!-~]{1,1000}$/);
      expect(keyOfFence(lower) <= key).toBe(true);
      expect(keyOfFence(upper) >= key).toBe(true);
      const isExact = keyOfFence(lower) === key && keyOfFence(upper) === key;
      expect(isExact || lower.length > 990).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});
