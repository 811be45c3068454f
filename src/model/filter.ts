import { isWithin, parsePath } from "./path.ts";
import { Pattern, placeOf } from "./pattern.ts";

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

/** What selects a part of a run. */
interface Selected {
  include: readonly string[];
  exclude: readonly string[];
  path?: string | undefined;
}

/** Decides which part of a run is restored, and what a restore may remove from a directory. */
export interface Selection {
  /** Whether a file or link is covered. */
  file(path: string): boolean;
  /** Whether a directory itself is covered, as an empty one is. */
  directory(path: string): boolean;
  /** All that is covered is at one of these paths, or below. */
  places: readonly string[];
  /** Whether a directory, or anything in it, may be covered. */
  mayBeIn(directory: string): boolean;
  /** The patterns that have matched so far; see Filter. */
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

/**
 * What the patterns and the path of a request select, or those of a run. Patterns mean what they mean in a backup; see createFilter.
 * @param path the only file, or the directory, that is covered; `escapePath` gave it
 */
export function createSelection({ include, exclude, path = "" }: Selected): Selection {
  const filter = createFilter(include, exclude);
  const top = parsePath(path);
  // Whether a pattern in "exclude" matches anything does not depend on those in "include".
  const isByPattern = top === "" && include.length > 0 && exclude.length === 0;
  const places = isByPattern ? include.map(placeOf) : [top];
  return {
    places,
    mayBeIn: (name) => places.some((place) => isWithin(name, place) || isWithin(place, name)),
    file: (name) => isWithin(name, top) && filter.file(name),
    directory: (name) => isWithin(name, top) && filter.emptyDirectory(name),
    matched: () => filter.matched(),
  };
}
