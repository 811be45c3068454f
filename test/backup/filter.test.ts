/** What patterns take of a tree; that each means what it means to git is held in test/model/pattern.test.ts. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFilter } from "../../src/model/filter.ts";

/** Whether a file is backed up, walked to as the app does: no directory on the way may be left out. */
function takes(include: string[], exclude: string[], file: string): boolean {
  const filter = createFilter(include, exclude);
  const segments = file.split("/");
  for (let depth = 1; depth < segments.length; depth++) {
    if (!filter.directory(segments.slice(0, depth).join("/"))) return false;
  }
  return filter.file(file);
}

describe("exclude", () => {
  it.each<[pattern: string, file: string, excluded: boolean]>([
    // Without a "/": at any depth, a file or all below a directory.
    ["*.log", "a.log", true],
    ["*.log", "deep/er/a.log", true],
    ["*.log", "a.log.txt", false],
    ["*.log", "a.log/inside.txt", true],
    ["node_modules", "node_modules/x/y.js", true],
    ["node_modules", "app/node_modules/y.js", true],
    ["node_modules", "my_node_modules/y.js", false],
    ["name", "name", true],
    // With a "/" at the start: at the root only.
    ["/name", "name", true],
    ["/name", "sub/name", false],
    ["/*.log", "a.log", true],
    ["/*.log", "sub/a.log", false],
    // With a "/" in the middle: from the root.
    ["a/b", "a/b", true],
    ["a/b", "a/b/c.txt", true],
    ["a/b", "x/a/b", false],
    ["a/*.txt", "a/1.txt", true],
    ["a/*.txt", "a/b/1.txt", false],
    ["a/**/z.txt", "a/z.txt", true],
    ["a/**/z.txt", "a/b/c/z.txt", true],
    ["**/cache/x", "some/where/cache/x", true],
    // With a "/" at the end: directories only.
    ["logs/", "logs/1.txt", true],
    ["logs/", "sub/logs/1.txt", true],
    ["logs/", "logs", false],
    ["/logs/", "sub/logs/1.txt", false],
    ["a/b/", "a/b/file", true],
    ["a/b/", "a/b", false],
    // Names with a leading dot are names like any other.
    ["*", ".env", true],
    [".*", ".env", true],
    [".*", "env", false],
    [".git", "sub/.git/config", true],
    ["*.txt", ".txt", true],
    // Globs.
    ["?.txt", "a.txt", true],
    ["?.txt", "ab.txt", false],
    ["[ab].txt", "a.txt", true],
    ["[ab].txt", "c.txt", false],
    ["[!ab].txt", "c.txt", true],
    ["log[[:digit:]]", "log1", true],
    // What other tools take for operators are characters like any other.
    ["photo (1).jpg", "photo (1).jpg", true],
    ["photo (1).jpg", "photo 1.jpg", false],
    ["a|b", "a|b", true],
    ["a|b", "a", false],
    ["+(a)", "+(a)", true],
    ["+(a)", "aa", false],
    ["@(a|b)", "@(a|b)", true],
    ["@(a|b)", "a", false],
    ["*.{js,css}", "site.{js,css}", true],
    ["*.{js,css}", "x/site.css", false],
    ["Name", "name", false],
    ["with space.txt", "with space.txt", true],
    ["caf\u00e9", "caf\u00e9", true],
    ["caf\u00e9", "cafe\u0301", false],
    ["#start", "#start", true],
    ["\\*", "*", true],
    ["\\*", "a", false],
  ])("%s leaves out %s: %s", (pattern, file, excluded) => {
    expect(takes([], [pattern], file)).toBe(!excluded);
    // The same pattern in "include" takes exactly what it would leave out.
    expect(takes([pattern], [], file)).toBe(excluded);
  });
});

describe("include and exclude together", () => {
  it("exclude wins, whatever the order", () => {
    expect(takes(["*.txt"], ["secret.txt"], "secret.txt")).toBe(false);
    expect(takes(["*.txt"], ["secret.txt"], "open.txt")).toBe(true);
    expect(takes(["a/b/c.txt"], ["a/"], "a/b/c.txt")).toBe(false);
  });

  it("without patterns everything is taken", () => {
    const names = fc.stringMatching(/^[^/\0]{1,20}$/);
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 5 }), (path) => takes([], [], path.join("/"))),
    );
  });

  it("a file is never taken when one of its directories is left out", () => {
    const name = fc.constantFrom("a", "b", "c.txt", ".d", "e f");
    const paths = fc.array(name, { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(paths, fc.nat(), (segments, at) => {
        const excluded = segments.slice(0, 1 + (at % (segments.length - 1))).join("/");
        return !takes([], [`/${excluded}`], segments.join("/"));
      }),
    );
  });
});
