import { Pattern } from "./pattern.ts";

/** Decides which part of a tree is backed up. Paths are relative to the root, with `/` between segments. */
export interface Filter {
  /** Whether a file (or link) is backed up. */
  file(path: string): boolean;
  /** Whether a directory is walked: false only if everything below it is left out. */
  directory(path: string): boolean;
  /** Whether an empty directory is backed up. */
  emptyDirectory(path: string): boolean;
  /** The patterns that have matched so far: their positions in `include` followed by `exclude`. */
  matched(): number[];
}

/**
 * A match covers everything below it. Without `include` everything is taken; what matches `exclude` is left out,
 * whatever `include` says.
 */
export function createFilter(include: readonly string[], exclude: readonly string[]): Filter {
  const included = include.map((pattern) => new Pattern(pattern));
  const excluded = exclude.map((pattern) => new Pattern(pattern));
  const matched = new Set<Pattern>();
  const covers = (patterns: readonly Pattern[], path: string, isDirectory: boolean): boolean => {
    let covered = false;
    for (const pattern of patterns) {
      // Test a pattern that has not matched yet in any case.
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
