import { createFilter } from "./filter.ts";

/** Decides which part of a run is restored, and what a restore may remove from a directory. */
export interface Selection {
  /** Whether a file or link is covered. */
  file(path: string): boolean;
  /** Whether a directory itself is covered, as an empty one is. */
  directory(path: string): boolean;
  /** The patterns that have matched so far; see Filter. */
  matched(): number[];
}

/** A backup's patterns, with their meaning there (see createFilter). */
export function createSelection(include: readonly string[], exclude: readonly string[]): Selection {
  const filter = createFilter(include, exclude);
  return {
    file: (path) => filter.file(path),
    directory: (path) => filter.emptyDirectory(path),
    matched: () => filter.matched(),
  };
}
