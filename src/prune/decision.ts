import { z } from "zod";
import { ChangedRecord, readRecord } from "../ledger/damaged.ts";
import { recordHash, type Ledger, type Lines } from "../ledger/ledger.ts";
import { listRange } from "../ledger/schemas.ts";
import { LAYOUTS, LEDGER_ID, type Layout } from "../model/names.ts";
import type { Whose } from "../store/pruning.ts";
import type { Choice } from "./choose-runs.ts";
import type { PruneRequest } from "./request.ts";

/** A ledger to delete that is not a backup's. `what` describes it. */
export interface RecordToGo {
  id: string;
  what: string;
}

/** What a prune will do. Written once as `decision.json`, before anything is deleted; everything else follows from it. */
export interface Decision extends Choice {
  version: 1;
  request: PruneRequest;
  /** How the destination keeps contents. */
  layout: Layout;
  /** All backups that stay, those of overlapping destinations included. */
  staying: string[];
  /** A run was terminated so recently that its activities may still be running: current blobs stay for now. */
  lingering: boolean;
  /** Ledgers to delete besides those of the forgotten runs; see staleRecords. */
  records: RecordToGo[];
  /** The blobs of all backups' manifests, in ranges that one activity reads each. */
  manifests: Lines[];
  /** How many partitions the names are divided into, each small enough for memory. */
  partitions: number;
  /** Why nothing can be done, as a message. */
  problem?: string;
}

/** A decision to do nothing. @param problem why, as a message */
export function nothing(request: PruneRequest, problem?: string): Decision {
  return {
    version: 1,
    request,
    layout: "files",
    kept: [],
    forgotten: [],
    staying: [],
    lingering: false,
    records: [],
    manifests: [],
    partitions: 1,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** One blob of a run's manifest: a line of the list that `manifests` points into. */
export interface ManifestRef extends Whose {
  run: string;
  /** Relative to the run's folder. */
  name: string;
  /** The prefix of the run's destination. */
  prefix: string;
}

export const DECISION = "decision.json";
/** Each partition is one lane of the fan-out. */
export const MAX_PARTITIONS = 64;

/** A decision as it stands in the ledger, and the hash by which the prune's activities recognize it. */
export interface Standing {
  decision: Decision;
  sha256: string;
}

const verdict = z.looseObject({
  id: z.string().regex(LEDGER_ID),
  started: z.iso.datetime().optional(),
  reasons: z.array(z.string()),
});
const schema = z.looseObject({
  version: z.literal(1),
  layout: z.enum(LAYOUTS).default("files"),
  kept: z.array(verdict),
  forgotten: z.array(verdict),
  staying: z.array(z.string()),
  lingering: z.boolean(),
  records: z.array(z.looseObject({ id: z.string().regex(LEDGER_ID), what: z.string() })),
  manifests: z.array(listRange),
  partitions: z.int().min(1).max(MAX_PARTITIONS),
  problem: z.string().optional(),
});

/**
 * The decision that stands, or undefined if there is none yet.
 * @param sha256 the hash it must have
 * @throws ChangedRecord if it has another
 */
export async function readDecision(ledger: Ledger, sha256?: string): Promise<Standing | undefined> {
  const text = await ledger.read(DECISION);
  if (text === undefined) return undefined;
  const name = `${ledger.runId}/${DECISION}`;
  const standing = { decision: readRecord<Decision>(text, schema, name), sha256: recordHash(text) };
  if (sha256 !== undefined && standing.sha256 !== sha256) throw new ChangedRecord(name);
  return standing;
}

/** Records a decision unless there is one already. `standing` is the one that is there afterwards. */
export async function settleDecision(
  ledger: Ledger,
  decision: Decision,
): Promise<{ won: boolean; standing: Standing }> {
  const text = JSON.stringify(decision);
  const { won } = await ledger.writeOnce(DECISION, text);
  const standing = (won ? undefined : await readDecision(ledger)) ?? { decision, sha256: recordHash(text) };
  return { won, standing };
}
