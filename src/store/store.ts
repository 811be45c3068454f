import type { Fetching } from "./fetching.ts";
import type { Measuring } from "./measuring.ts";
import type { Pruning } from "./pruning.ts";
import type { Storing } from "./storing.ts";

/** A destination: a container and a prefix in it. */
export interface Place {
  container: string;
  prefix: string;
}

/**
 * How a destination keeps contents. Backup, restore, verify and prune know nothing else of it; blob names, metadata,
 * snapshots and versions belong to the layout behind it. Any call may be repeated, even concurrently on another machine.
 */
export interface Store extends Storing, Fetching, Pruning, Measuring {}
