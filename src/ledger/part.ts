import type { z } from "zod";
import type { Outcome, Tally } from "../model/outcome.ts";
import type { Agreement } from "./is-ours.ts";
import type { Ledger, Lines } from "./ledger.ts";
import type { PartRecord } from "./parts.ts";

/** How a kind of run lists or plans its parts. A part passes `Own` on to the parts it leaves. */
export interface PartKind<Own, Item, Left> extends Agreement<Own, Item, Left> {
  record: z.ZodType;
  /** `Own` of a part that could not begin. */
  unknown: Own;
  /** Begins a part. @param own from the part that left it; undefined for the whole tree @throws PartProblem */
  begin: (ledger: Ledger, own: Own | undefined) => Promise<Own>;
  /** @throws PartProblem */
  find: (own: Own, left: Left[] | undefined, ledger: Ledger) => Promise<Findings<Item, Left>>;
  /** Called in each delivery once the record is written. @param isMine whether this delivery wrote it */
  stands?: (ledger: Ledger, record: PartRecord, isMine: boolean) => Promise<void>;
}

/** What was found in a part, divided among its activities and sub-orchestrations. */
export interface Findings<Item, Left> {
  settled: readonly Outcome[];
  /** Patterns that matched something; see Filter. */
  matched: readonly number[];
  batches: Item[][];
  lanes: Item[][];
  rest: Left[][];
  /** Further fields for the record, and lists for it to name. */
  also?: object;
  lists?: Record<string, readonly unknown[]>;
}

/** A part cannot be processed. The message says why. */
export class PartProblem extends Error {}

/** What an orchestrator needs to know of a part. The lists themselves are in the ledger. */
export interface Part<Own> {
  own: Own;
  found: Tally;
  batches: Lines[];
  large: Lines[];
  rest: Lines[];
  /** Files and bytes in the batches and large files. */
  files: number;
  bytes: number;
  problem?: string;
}
