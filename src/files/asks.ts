/** A file operation that the thread is asked for. Paths are relative to the root, `/` between segments. */
export type Ask = { realRoot: string; path: string } & ({ what: "look" } | { what: "read"; size: number });

/** A regular file, by its name. */
export interface Looked {
  size: number;
  /** Milliseconds since 1970. */
  mtimeMs: number;
  ctimeMs: number;
  /** As the file system gives it, with the bits that say what it is. */
  mode: number;
}

/** A regular file that was read whole and did not change meanwhile. */
export interface ReadWhole extends Looked {
  content: Uint8Array<ArrayBuffer>;
  /** Base64. */
  md5: string;
}

/** Undefined for all that is not plain: whoever asked does it again the usual way, and learns why. */
export type Answer = Looked | ReadWhole | undefined;

/** What the thread answers to all that it was sent at a time, in the same order. */
export interface Answers {
  answers: Answer[];
  /** How long it took, in milliseconds. */
  ms: number;
}
