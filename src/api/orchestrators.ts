import { prepareBackup } from "./backup.ts";
import { preparePrune } from "./prune.ts";
import { prepareRestore } from "./restore.ts";
import { DAMAGED } from "./route.ts";
import type { Opening } from "../ledger/runs.ts";
import type { Start } from "./start-context.ts";
import { prepareVerify } from "./verify.ts";

/** An orchestrator that callers may start, and its part of the OpenAPI document. */
export interface PublicOrchestrator {
  /** Validates the body and checks what it names. @returns what the run's record says of it @throws HttpProblem */
  prepare(body: unknown, start: Start): Promise<Opening>;
  summary: string;
  description: string;
  /** The name of the body's schema in the document's components. */
  body: "BackupRequest" | "RestoreRequest" | "VerifyRequest" | "PruneRequest";
  /** The body may be just the root's path. */
  takesPath?: true;
  /** Statuses it refuses with, besides those of every start. */
  refusals: number[];
}

const PARTIAL =
  "409 while that run is in progress (`activeRun` is its id), because what it has not copied yet would be missing. A run that was " +
  "canceled, broken off or failed has what it had copied: the record's `message` says so, and the output is no error.";

/** The orchestrators that callers may start, by name. */
export const orchestrators: ReadonlyMap<string, PublicOrchestrator> = new Map<string, PublicOrchestrator>([
  [
    "backupSiteContent",
    {
      prepare: prepareBackup,
      summary: "Back up a directory.",
      description:
        "409 while another run writes to the destination, or a prune is running there (`activeRun` is its id), and if it holds " +
        "the backups of another root (`otherRoot`), unless `allowOtherRoot` is true. A body that is just the path cannot name a destination: " +
        "the backup goes to the container `backups`, whatever root's backups are there.",
      body: "BackupRequest",
      takesPath: true,
      refusals: [403, DAMAGED],
    },
  ],
  [
    "restoreSiteContent",
    {
      prepare: prepareRestore,
      summary: "Restore a run into a directory.",
      description: PARTIAL,
      body: "RestoreRequest",
      refusals: [403, 404],
    },
  ],
  [
    "verifyBackup",
    {
      prepare: prepareVerify,
      summary: "Verify that a run's files are present and intact.",
      description: PARTIAL,
      body: "VerifyRequest",
      refusals: [404],
    },
  ],
  [
    "pruneBackups",
    {
      prepare: preparePrune,
      summary: "Forget runs by a policy, and delete what no remaining run needs.",
      description:
        "409 while a backup writes there, or another prune is running in the container (`activeRun` is its id).",
      body: "PruneRequest",
      refusals: [DAMAGED],
    },
  ],
]);
