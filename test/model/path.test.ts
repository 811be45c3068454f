import fc from "fast-check";
import { expect, it } from "vitest";
import {
  escapePath,
  fromBytes,
  isPath,
  parsePath,
  pathMark,
  printable,
  toBytes,
} from "../../src/model/path.ts";

const bytes = fc
  .oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
  )
  .map((array) => Buffer.from(array));

it("gives each name a form of its own, and its bytes back", () => {
  fc.assert(
    fc.property(bytes, (name) => {
      const path = fromBytes(name);
      expect(toBytes(path)).toEqual(name);
      expect(isPath(path)).toBe(true);
      expect(fromBytes(toBytes(path))).toBe(path);
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  ["caf\xe9, Latin-1", Buffer.from("caf\xe9", "latin1"), "caf\udce9"],
  ["an encoded surrogate", Buffer.from([0xed, 0xa0, 0x80]), "\udced\udca0\udc80"],
  ["an overlong slash", Buffer.from([0xc0, 0xaf]), "\udcc0\udcaf"],
  ["a sequence cut short", Buffer.from([0x61, 0xf0, 0x9f, 0x98]), "a\udcf0\udc9f\udc98"],
  ["a byte order mark", Buffer.from([0xef, 0xbb, 0xbf, 0x61]), "\ufeffa"],
  ["U+FFFD itself", Buffer.from("\ufffd"), "\ufffd"],
  ["an emoji between bad bytes", Buffer.from([0xff, 0xf0, 0x9f, 0x98, 0x80, 0xfe]), "\udcff\u{1f600}\udcfe"],
])("%s", (_what, name, path) => {
  expect(fromBytes(name)).toBe(path);
  expect(toBytes(path)).toEqual(name);
  expect(JSON.parse(JSON.stringify(path))).toBe(path);
});

it("knows a text that is no path", () => {
  expect(isPath("\ud800")).toBe(false);
  // The two bytes of "é" as two bad ones: a second form of the same name.
  expect(isPath("\udcc3\udca9")).toBe(false);
  expect(() => toBytes("\udbff")).toThrow(RangeError);
});

it("marks paths by their bytes", () => {
  expect(pathMark("index.html")).toMatch(/^[\w-]{22}$/);
  expect(pathMark("a\udce9")).not.toBe(pathMark("a\ufffd"));
});

it("prints nothing that controls a terminal", () => {
  expect(printable("a\\b ünï 😀")).toBe("a\\b ünï 😀");
  expect(printable("a\\b\n\u001b[31m\u009b\u202e\udcff\ud800")).toBe(
    "a\\\\b\\n\\u{1b}[31m\\u{9b}\\u{202e}\\xff\\u{d800}",
  );
});

it("writes each path for people in a form of its own, and reads it back", () => {
  const hostile = fc.array(
    fc.constantFrom("\\", "n", "x", "f", "8", "u", "{", "1b", "}", "\n", "\udcff", "é", "a", "/"),
  );
  const path = fc.oneof(bytes.map(fromBytes), hostile.map((pieces) => pieces.join("")).filter(isPath));
  fc.assert(
    fc.property(path, (name) => {
      expect(escapePath(name)).toBe(printable(escapePath(name)));
      expect(parsePath(escapePath(name))).toBe(name);
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  ["C:\\data", "C:\\data", "C:\\data"],
  ["a\\new", "a\\\\new", "a\\\\new"],
  ["caf\udce9", "caf\\xe9", "caf\\xE9"],
  // Escaped byte by byte, it is the same name.
  ["é", "é", "\\xc3\\xa9"],
  ["\\u{110000}", "\\u{110000}", "\\u{110000}"],
])("reads and writes %j for people", (path, escaped, typed) => {
  expect(escapePath(path)).toBe(escaped);
  expect(parsePath(typed)).toBe(path);
});

it("takes no escape for a surrogate that stands for no byte", () => {
  expect(() => parsePath("\\u{d800}")).toThrow(RangeError);
});
