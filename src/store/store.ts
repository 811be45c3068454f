import type { Layout } from "../model/names.ts";
import type { Fetching } from "./fetching.ts";
import type { Measuring } from "./measuring.ts";
import type { Pruning } from "./pruning.ts";
import type { Storing } from "./storing.ts";

/** A destination: a container, a prefix in it, and how contents are kept there. */
export interface Place {
  container: string;
  prefix: string;
  layout: Layout;
}

/**
 * How a destination keeps contents. Backup, restore, verify and prune know nothing else of it; blob names, metadata,
 * snapshots, versions, packs and chunks belong to the layout behind it. Any call may be repeated, even concurrently on another machine.
 */
export interface Store extends Storing, Fetching, Pruning, Measuring {}
