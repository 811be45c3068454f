import type { Storage } from "../services/storage.ts";
import type { Tree } from "../trees.ts";

/** One run of a peer. */
export interface Run {
  seconds: number;
  /** The most memory that its processes took together, MB; undefined where the system does not tell. */
  peakMB: number | undefined;
}

/** A peer that is set up for one storage account; several runs may follow each other. */
export interface Session {
  /**
   * Copies the tree. @throws when it did not copy everything
   * @param again whether only what changed since the last run need be copied
   */
  backUp(tree: Tree, again: boolean): Promise<Run>;
  /** Brings back what was backed up last, into a directory that is not there yet. @throws when it did not bring all */
  restore?(tree: Tree, to: string): Promise<Run>;
  close(): Promise<void>;
}

/** The peer cannot take part, through no fault of its own; the message says why. */
export class Skipped extends Error {}

/** A way to back up a tree. */
export interface Peer {
  readonly name: string;
  /** How it is called, for the reader of the results. */
  readonly how: string;
  /** Why it cannot take part here, for people; undefined when it can. */
  unavailable?(): string | undefined;
  /** Whether it can leave out what has not changed. */
  readonly knowsUnchanged: boolean;
  /** @throws Skipped */
  open(storage: Storage): Promise<Session>;
}
