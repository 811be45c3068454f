/** The hash by which a layout knows a content. */
export type HashName = "md5" | "sha256";

/** Names to look up. Paths are relative to the root, with `/` between segments. */
export interface LookAsk {
  what: "look";
  realRoot: string;
  paths: string[];
}

/** A file to read into memory of its size. */
export interface ReadAsk {
  what: "read";
  realRoot: string;
  path: string;
  into: Uint8Array<SharedArrayBuffer>;
  hash: HashName;
}

/** File operations for the thread. */
export type Ask = LookAsk | ReadAsk;

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
  /** Base64. */
  hash: string;
}

/** What became of an ask. Undefined if anything is unusual: the caller then does it the ordinary way, and learns why. */
export type Answer<A extends Ask = Ask> = A extends LookAsk ? (Looked | undefined)[] : ReadWhole | undefined;

/** The thread's answers to one message, in the same order. */
export interface Answers {
  answers: Answer[];
  /** How long it took, in milliseconds. */
  ms: number;
}
