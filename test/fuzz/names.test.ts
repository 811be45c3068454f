/** Names of blobs, as a restore meets them: whatever they are, they lead to no place outside (see restore/hostile, too). */
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { unsafePath } from "../../src/model/safe-path.ts";
import { fuzz, text } from "./fuzz.ts";

const RUNS = 3_000;

/** Names of the pieces that escapes are made of, more often than chance has them. */
const name = fc
  .array(fc.oneof(fc.constantFrom("..", ".", "", "/", "\\", "C:", "a", "con", "\0"), text), { maxLength: 6 })
  .chain((segments) => fc.constantFrom("/", "\\", "").map((separator) => segments.join(separator)));

it.each([
  ["linux", path.posix, "/to/here"],
  ["win32", path.win32, "C:\\to\\here"],
] as const)(
  "%s: what is taken lies below the directory, under the name that it says",
  (platform, paths, to) => {
    let taken = 0;
    const property = fc.property(name, (portable) => {
      if (unsafePath(portable, platform) !== undefined) return;
      taken++;
      const segments = portable.split("/");
      const place = paths.resolve(to, ...segments);
      expect(paths.relative(to, place).split(paths.sep)).toEqual(segments);
    });
    fc.assert(property, fuzz(RUNS));
    expect(taken).toBeGreaterThan(0);
  },
);
