import { Pattern } from "../model/pattern.ts";

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
 * What matches stands for all that is below it. Without `include` everything is taken; what matches `exclude` is left
 * out, whatever `include` says.
 */
export function createFilter(include: readonly string[], exclude: readonly string[]): Filter {
  const included = include.map((pattern) => new Pattern(pattern));
  const excluded = exclude.map((pattern) => new Pattern(pattern));
  const isOut = (path: string, isDirectory: boolean): boolean =>
    excluded.some((pattern) => pattern.covers(path, isDirectory));
  const isIn = (path: string, isDirectory: boolean): boolean =>
    (included.length === 0 || included.some((pattern) => pattern.covers(path, isDirectory))) &&
    !isOut(path, isDirectory);
  return {
    file: (path) => isIn(path, false),
    directory: (path) => !isOut(path, true),
    emptyDirectory: (path) => isIn(path, true),
  };
}
