import { z } from "zod";
import { ChangedRecord, listRange, readRecord } from "../ledger/damaged.ts";
import { hashOf, type Ledger, type Lines } from "../ledger/ledger.ts";
import { LEDGER_ID } from "../model/run-id.ts";
import type { Choice } from "./choose-runs.ts";
import type { PruneRequest } from "./request.ts";

/** The ledger of a run that is no backup, and what it is, for people. */
export interface RecordToGo {
  id: string;
  what: string;
}

/** What a prune is to do. Written once as `decision.json`, before anything is deleted; all the rest follows from it. */
export interface Decision extends Choice {
  version: 1;
  request: PruneRequest;
  /** All backups that stay, also those of destinations that this one has blobs in common with. */
  staying: string[];
  /** A run was ended from outside so lately that activities of it may go on: what is current stays for now. */
  lingering: boolean;
  /** Ledgers that go beside those of the runs that are forgotten; see staleRecords. */
  records: RecordToGo[];
  /** The blobs of the manifests of all backups, in ranges that one activity reads each. */
  manifests: Lines[];
  /** Names are divided into so many partitions, each small enough for memory. */
  partitions: number;
  /** Why nothing can be done at all, for people. */
  problem?: string;
}

/** A decision to do nothing. @param problem why, for people */
export function nothing(request: PruneRequest, problem?: string): Decision {
  return {
    version: 1,
    request,
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

/** One blob of a run's manifest; a line of the list that `manifests` are ranges of. */
export interface ManifestRef {
  run: string;
  /** Below the run's folder. */
  name: string;
  /** The prefix of the run's destination. */
  prefix: string;
  /** Whether the run stays. */
  kept: boolean;
}

export const DECISION = "decision.json";
/** Each partition has a place in the fan-out. */
export const MAX_PARTITIONS = 64;

/** A decision as it stands in the ledger, and the hash by which the activities of a prune know it again. */
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
 * The decision that stands, or undefined when there is none.
 * @param sha256 of the one that is meant
 * @throws ChangedRecord where it is another
 */
export async function readDecision(ledger: Ledger, sha256?: string): Promise<Standing | undefined> {
  const text = await ledger.read(DECISION);
  if (text === undefined) return undefined;
  const name = `${ledger.runId}/${DECISION}`;
  const standing = { decision: readRecord<Decision>(text, schema, name), sha256: hashOf(text) };
  if (sha256 !== undefined && standing.sha256 !== sha256) throw new ChangedRecord(name);
  return standing;
}

/** Records a decision unless there is one: another delivery of the activity wrote that, or someone else. */
export async function settleDecision(
  ledger: Ledger,
  decision: Decision,
): Promise<{ won: boolean; standing: Standing }> {
  const text = JSON.stringify(decision);
  const { won } = await ledger.writeOnce(DECISION, text);
  const standing = (won ? undefined : await readDecision(ledger)) ?? { decision, sha256: hashOf(text) };
  return { won, standing };
}
