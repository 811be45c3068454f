/** How much is fuzzed, from what seed, and strings that have broken programs before. */
import fc from "fast-check";

/**
 * Random inputs for a property. FUZZ_RUNS sets another number, FUZZ_SEED repeats those of a failure: fast-check prints
 * its seed.
 */
export function fuzz(runs: number): { numRuns: number; seed?: number } {
  const { FUZZ_RUNS, FUZZ_SEED } = process.env;
  return { numRuns: FUZZ_RUNS ? Number(FUZZ_RUNS) : runs, ...(FUZZ_SEED ? { seed: Number(FUZZ_SEED) } : {}) };
}

/** What is worth trying wherever a text is taken. */
export const awkward = [
  "",
  ".",
  "..",
  "../..",
  "/",
  "a/../b",
  "index",
  "destinations",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "null",
  "true",
  "-1",
  "1e309",
  "9007199254740993",
  "NaN",
  "$&",
  "%",
  "%00",
  "%2e%2e",
  "\0",
  "\ud800",
  "\uffff",
  "💥",
  "é",
  "' OR 1=1 --",
  "{0}",
  "${1}",
  "2026-11-23T14:30:00Z",
  "+275760-09-13T00:00:00.001Z",
  "x".repeat(3000),
  "/".repeat(300),
] as const;

export const text: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...awkward),
  fc.string({ unit: "binary" }),
  fc.string(),
);

/** Any JSON value, and such as programs forget. */
export const value: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    -1,
    0.5,
    1e308,
    2 ** 53,
    -(2 ** 31),
    [],
    {},
    [null],
    nested(500),
    Array.from({ length: 300 }, () => "x"),
  ),
);

/** An object's text, its names as they come: twice the same, `__proto__`. */
export function objectText(entries: readonly (readonly [string, unknown])[]): string {
  return `{${entries.map(([name, each]) => `${JSON.stringify(name)}:${JSON.stringify(each)}`).join(",")}}`;
}

function nested(depth: number): unknown {
  let all: unknown = 1;
  for (let level = 0; level < depth; level++) all = level % 2 ? [all] : { a: all };
  return all;
}
