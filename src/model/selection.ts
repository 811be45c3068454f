import { createFilter } from "./filter.ts";

/** Decides what of a run is restored, and what of a directory a restore may remove. */
export interface Selection {
  /** Whether a file or link is covered. */
  file(path: string): boolean;
  /** Whether a directory itself is covered, as an empty one is. */
  directory(path: string): boolean;
  /** The patterns that have matched something so far; see Filter. */
  matched(): number[];
}

/** The patterns of a backup, with its meaning (see createFilter). */
export function createSelection(include: readonly string[], exclude: readonly string[]): Selection {
  const filter = createFilter(include, exclude);
  return {
    file: (path) => filter.file(path),
    directory: (path) => filter.emptyDirectory(path),
    matched: () => filter.matched(),
  };
}
