/** Patterns mean what they mean to git, and never cost more than the length of the name times that of the pattern. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isWithin } from "../../src/model/path.ts";
import { Pattern, placeOf } from "../../src/model/pattern.ts";

const OPERATORS = ["*", "**", "/", "**/", "/**", "?", "\\", "[", "]", "[a-c]", "[!b]", "[^-a]", "[]-b]", "-"];
const PLAIN = [
  "a",
  "b",
  "ab",
  "B",
  ".",
  "1",
  "(",
  ")",
  "|",
  "+(",
  "@(",
  "!",
  "{a,b}",
  ",",
  " ",
  "~",
  "é",
  ":",
  "^",
];
const CLASSES = [
  "alnum",
  "blank",
  "cntrl",
  "graph",
  "lower",
  "print",
  "punct",
  "space",
  "upper",
  "xdigit",
  "no",
];
const patterns = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...OPERATORS) },
      { weight: 5, arbitrary: fc.constantFrom(...PLAIN) },
      fc.constantFrom(...CLASSES).map((name) => `[${name.includes("p") ? "" : "!"}[:${name}:]b]`),
    ),
    { minLength: 1, maxLength: 7 },
  )
  .map((pieces) => pieces.join(""))
  // In a file these begin another kind of line, or are cut off at its end.
  .filter((text) => !/^!| $/.test(text));

// ASCII, for git takes a character of several bytes for several.
const segments = fc
  .array(fc.constantFrom("a", "b", "ab", "B", "1", ".", "(", ")", "|", "-", "]", "[", "\\", "\t", "~", "*"), {
    minLength: 1,
    maxLength: 4,
  })
  .map((pieces) => pieces.join(""))
  .filter((name) => !/^\.{1,2}$/.test(name));
const paths = fc.array(
  fc.array(segments, { minLength: 1, maxLength: 5 }).map((names) => names.join("/")),
  { minLength: 30, maxLength: 30 },
);

const hasGit = spawnSync("git", ["--version"]).status === 0;

describe("a pattern", () => {
  it.skipIf(!hasGit)("covers what git ignores by it", { timeout: 60_000 }, () => {
    const repository = mkdtempSync(path.join(tmpdir(), "patterns-"));
    const git = (args: string[], input = ""): string[] => {
      const { stdout, stderr } = spawnSync("git", args, { cwd: repository, input, encoding: "utf8" });
      if (stderr !== "") throw new Error(stderr);
      return stdout.split("\0").slice(0, -1);
    };
    try {
      git(["init", "--quiet", "."]);
      fc.assert(
        // A folder for each pattern, so that git starts only once for many. The files need not be there for it.
        fc.property(fc.array(patterns, { minLength: 30, maxLength: 30 }), paths, (texts, files) => {
          for (const [folder, text] of texts.entries()) {
            mkdirSync(path.join(repository, String(folder)), { recursive: true });
            writeFileSync(path.join(repository, String(folder), ".gitignore"), `${text}\n`);
          }
          const question = texts.flatMap((_text, folder) => files.map((file) => `${folder}/${file}`));
          const ignored = new Set(git(["check-ignore", "--no-index", "--stdin", "-z"], question.join("\0")));
          const wrong = texts.flatMap((text, folder) => {
            const pattern = new Pattern(text);
            return files
              .filter((file) => pattern.covers(file, false) !== ignored.has(`${folder}/${file}`))
              .map((file) => `${text} covers ${file}: ${pattern.covers(file, false)}`);
          });
          expect(wrong).toEqual([]);
        }),
        { numRuns: 15, endOnFailure: true },
      );
    } finally {
      rmSync(repository, { recursive: true, force: true });
    }
  });

  it.each<[pattern: string, name: string, covered: boolean]>([
    ["?", "é", true],
    ["?", "😀", true],
    ["??", "😀", false],
    ["[à-ü]", "é", true],
    // A byte that is not UTF-8, as paths have it.
    ["a?c", "a\udcffc", true],
    ["a??c", "a\udcffc", false],
    ["*\udcff", "x\udcff", true],
    ["[\udc80-\udcff]", "\udce9", true],
    ["caf\u00e9", "cafe\u0301", false],
    ["Name", "name", false],
    ["trailing ", "trailing ", true],
    ["trailing ", "trailing", false],
    ["#start", "#start", true],
  ])("counts characters: %j covers %j: %s", (pattern, name, covered) => {
    expect(new Pattern(pattern).covers(name, false)).toBe(covered);
  });

  it.each([
    ["/a/b", "a/b"],
    ["a/b/", "a/b"],
    ["/a/*.txt", "a"],
    ["a/b?/c", "a"],
    ["a/[b]/c", "a"],
    ["a/\\[b\\]/c*", "a/[b]"],
    ["a/b\\", "a"],
    ["a\\/b", ""],
    ["**/a", ""],
    ["a", ""],
    ["a/", ""],
    ["/a", "a"],
  ])("%j is of %j", (text, place) => {
    expect(placeOf(text)).toBe(place);
  });

  it("covers nothing anywhere else", () => {
    fc.assert(
      fc.property(patterns, paths, (text, files) => {
        const covered = files.filter((file) => new Pattern(text).covers(file, false));
        expect(covered.filter((file) => !isWithin(file, placeOf(text)))).toEqual([]);
      }),
    );
  });

  it.each<[pattern: string, name: string]>([
    ["*(*a*)b", "a".repeat(48)],
    ["*-*-*-*-*.log", "-".repeat(250)],
    ["*a".repeat(500), "a".repeat(4096)],
    ["**/".repeat(300) + "b", "a/".repeat(2000) + "a"],
    ["/" + "**/a/".repeat(200) + "b", "a/".repeat(2000) + "a"],
    ["**/*a".repeat(200) + "/b", "aa/".repeat(1300) + "a"],
    ["a/**/b/**/".repeat(100), "a/b/".repeat(1000) + "c"],
    ["*[a-z]*[!-]".repeat(90), "z".repeat(4096)],
  ])("looks at no state twice for one character: %#", (text, name) => {
    const pattern = new Pattern(text);
    pattern.covers(name, false);
    expect(pattern.steps).toBeGreaterThan(0);
    expect(pattern.steps).toBeLessThanOrEqual((text.length + 1) * name.length);
  });
});
