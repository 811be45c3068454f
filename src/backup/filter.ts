import picomatch from "picomatch";

/** Decides what of a tree is backed up. Paths are relative to the root, with `/` between segments. */
export interface Filter {
  /** Whether a file (or link) is backed up. */
  file(path: string): boolean;
  /** Whether a directory is walked: false only when all below it is left out. */
  directory(path: string): boolean;
  /** Whether a directory without anything in it is backed up as such. */
  emptyDirectory(path: string): boolean;
}

/**
 * Patterns are picomatch globs (`*`, `**`, `?`, `[a-z]`, `{a,b}`; names with a leading dot match too), anchored as in
 * `.gitignore`: with a `/` at the start or in the middle they are relative to the root, without one they match at any
 * depth; a `/` at the end matches directories only. What matches stands for all that is below it. `exclude` wins.
 */
export function createFilter(include: readonly string[], exclude: readonly string[]): Filter {
  const included = include.map(compile);
  const excluded = exclude.map(compile);
  const matches = (patterns: Compiled[], path: string, isDirectory: boolean): boolean =>
    patterns.some((pattern) => (isDirectory || !pattern.directoriesOnly) && pattern.matches(path));
  /** Whether the path or a directory above it matches. */
  const covers = (patterns: Compiled[], path: string, isDirectory: boolean): boolean => {
    if (matches(patterns, path, isDirectory)) return true;
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      if (matches(patterns, path.slice(0, end), true)) return true;
    }
    return false;
  };
  return {
    // Directories that are excluded are never walked, so only the file itself is left to look at.
    file: (path) =>
      (excluded.length === 0 || !covers(excluded, path, false)) &&
      (included.length === 0 || covers(included, path, false)),
    emptyDirectory: (path) => included.length === 0 || covers(included, path, true),
    directory: (path) => excluded.length === 0 || !matches(excluded, path, true),
  };
}

interface Compiled {
  directoriesOnly: boolean;
  matches(path: string): boolean;
}

function compile(pattern: string): Compiled {
  const directoriesOnly = pattern.endsWith("/");
  const bare = directoriesOnly ? pattern.slice(0, -1) : pattern;
  const anchored = bare.includes("/");
  const glob = anchored ? bare.replace(/^\//, "") : `**/${bare}`;
  const matches = picomatch(glob, { dot: true, nonegate: true });
  return { directoriesOnly, matches: (path) => matches(path) };
}
