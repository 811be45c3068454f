import { createFilter } from "./filter.ts";
import { isWithin, parsePath } from "./path.ts";
import { placeOf } from "./pattern.ts";

/** What of a run is meant. */
export interface Selected {
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
 * A backup's patterns, with their meaning there (see createFilter).
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
