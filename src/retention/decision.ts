import type { Ledger, ListRange } from "../ledger/ledger.ts";
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
  /** Ledgers that go beside those of the runs that are forgotten; see recordsToGo. */
  records: RecordToGo[];
  /** The blobs of the manifests of all backups, in ranges that one activity reads each. */
  manifests: ListRange[];
  /** Names are divided into so many partitions, each small enough for memory. */
  partitions: number;
  /** Why nothing can be done at all, for people. */
  problem?: string;
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

const NAME = "decision.json";

export async function readDecision(ledger: Ledger): Promise<Decision | undefined> {
  const text = await ledger.read(NAME);
  return text === undefined ? undefined : (JSON.parse(text) as Decision);
}

/** Records a decision unless another delivery of the activity did; gives the one that stands. */
export async function settleDecision(ledger: Ledger, decision: Decision): Promise<Decision> {
  const { won } = await ledger.writeOnce(NAME, JSON.stringify(decision));
  return won ? decision : ((await readDecision(ledger)) ?? decision);
}
