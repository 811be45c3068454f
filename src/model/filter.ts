import { Pattern } from "./pattern.ts";

/** Decides what of a tree is backed up. Paths are relative to the root, with `/` between segments. */
export interface Filter {
  /** Whether a file (or link) is backed up. */
  file(path: string): boolean;
  /** Whether a directory is walked: false only when all below it is left out. */
  directory(path: string): boolean;
  /** Whether a directory without anything in it is backed up as such. */
  emptyDirectory(path: string): boolean;
  /** The patterns that have matched something so far: their places in `include` and `exclude` one after the other. */
  matched(): number[];
}

/**
 * What matches stands for all that is below it. Without `include` everything is taken; what matches `exclude` is left
 * out, whatever `include` says.
 */
export function createFilter(include: readonly string[], exclude: readonly string[]): Filter {
  const included = include.map((pattern) => new Pattern(pattern));
  const excluded = exclude.map((pattern) => new Pattern(pattern));
  const matched = new Set<Pattern>();
  const covers = (patterns: readonly Pattern[], path: string, isDirectory: boolean): boolean => {
    let covered = false;
    for (const pattern of patterns) {
      // One that has matched nothing yet is asked in any case.
      if ((covered && matched.has(pattern)) || !pattern.covers(path, isDirectory)) continue;
      matched.add(pattern);
      covered = true;
    }
    return covered;
  };
  const look = (path: string, isDirectory: boolean) => {
    const isOut = covers(excluded, path, isDirectory);
    return { isOut, isIn: !isOut && (covers(included, path, isDirectory) || included.length === 0) };
  };
  return {
    file: (path) => look(path, false).isIn,
    directory: (path) => !look(path, true).isOut,
    emptyDirectory: (path) => look(path, true).isIn,
    matched: () =>
      [...included, ...excluded].flatMap((pattern, place) => (matched.has(pattern) ? [place] : [])),
  };
}
