/** A file operation for the thread. Paths are relative to the root, with `/` between segments. */
export type Ask = { realRoot: string; path: string } & ({ what: "look" } | { what: "read"; size: number });

/** A regular file, found by name. */
export interface Looked {
  size: number;
  /** Milliseconds since 1970. */
  mtimeMs: number;
  ctimeMs: number;
  /** As the file system returns it, including the bits for the type. */
  mode: number;
}

/** A regular file that was read whole and did not change meanwhile. */
export interface ReadWhole extends Looked {
  content: Uint8Array<ArrayBuffer>;
  /** Base64. */
  md5: string;
}

/** Undefined if anything is unusual: the caller then does it the ordinary way, and learns why. */
export type Answer = Looked | ReadWhole | undefined;

/** The thread's answers to one message, in the same order. */
export interface Answers {
  answers: Answer[];
  /** How long it took, in milliseconds. */
  ms: number;
}
