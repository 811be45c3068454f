import type { Storage } from "../services/storage.ts";
import type { Tree } from "../trees.ts";

/** One run of a peer. */
export interface Run {
  seconds: number;
  /** The peak memory of all its processes together, MB; undefined if the system does not say. */
  peakMB: number | undefined;
  /** MiB that lie in the container afterwards, where that is looked at. */
  storedMiB?: number;
}

/** A peer set up for one storage account; several runs may follow each other. */
export interface Session {
  /**
   * Copies the tree. @throws Error if it did not copy everything
   * @param again whether only what changed since the last run has to be copied
   */
  backUp(tree: Tree, again: boolean): Promise<Run>;
  /**
   * Restores the last backup into a directory that does not exist yet. @throws Error if it did not restore everything
   */
  restore?(tree: Tree, to: string): Promise<Run>;
  close(): Promise<void>;
}

/** The peer cannot take part, for no fault of its own; the message says why. */
export class Skipped extends Error {}

/** A way to back up a tree. */
export interface Peer {
  readonly name: string;
  /** The command, for the reader of the results. */
  readonly how: string;
  /** Why it cannot take part here, for people; undefined if it can. */
  unavailable?(): string | undefined;
  /** Whether it can skip unchanged files. */
  readonly knowsUnchanged: boolean;
  /** @throws Skipped */
  open(storage: Storage): Promise<Session>;
}
