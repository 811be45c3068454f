import type { Attributes, Entry } from "../model/entry.ts";
import type { Outcome } from "../model/outcome.ts";

/** A pending name: a directory to walk, or a file to look up. */
export type Pending = { dir: string } | { file: string };

/**
 * The result of looking up a name: an entry to copy, a directory to read, or a settled outcome; undefined if the filter
 * leaves it out.
 */
export type Look = { entry: Entry } | { directory: string } | { outcome: Outcome } | undefined;

/** A directory's content. Paths are relative to the root, with `/` between segments. */
export interface Children {
  directories: string[];
  /** All other names; directories too if the file system does not say what a name is. */
  files: string[];
  empty: boolean;
  own: SeenDirectory;
}

/** A directory as it was when its names were read. */
export interface SeenDirectory extends Attributes {
  path: string;
  dev: number;
  ino: number;
}
