import { prepareBackup } from "./backup.ts";
import { preparePrune } from "./prune.ts";
import { prepareRestore, prepareVerify } from "./restore.ts";
import { DAMAGED } from "./route.ts";
import type { Opening } from "../ledger/runs.ts";
import type { Start } from "./start-context.ts";

/** An orchestrator that may be started from outside, with what the OpenAPI document says of it. */
export interface PublicOrchestrator {
  /** Validates the body, checks what it names, and gives what the run's record says of it. @throws HttpProblem */
  prepare(body: unknown, start: Start): Promise<Opening>;
  summary: string;
  description: string;
  /** The body's schema, by its name among the document's components. */
  body: "BackupRequest" | "RestoreRequest" | "VerifyRequest" | "PruneRequest";
  /** The body may be the root's path alone. */
  takesPath?: true;
  /** The statuses that it refuses with, beside those of all starts. */
  refusals: number[];
}

const PARTIAL =
  "409 while that run goes on (`activeRun` is its id): what it has not copied yet would be missing. Of a run that was canceled, " +
  "broken off or failed there is what it had copied: the record's `message` says so, and the output tells no error.";

/** The app's public orchestrators, by name; no other can be started. */
export const orchestrators: ReadonlyMap<string, PublicOrchestrator> = new Map<string, PublicOrchestrator>([
  [
    "backupSiteContent",
    {
      prepare: prepareBackup,
      summary: "Back up a directory.",
      description:
        "409 while another run writes to the destination, or a prune is at work there (`activeRun` is its id); and where " +
        "another root's backups are (`otherRoot` is that root), unless `allowOtherRoot` is true. A body that is the path alone can name no destination " +
        "and not say so: it goes to the container `backups` whatever root's backups are there.",
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
      summary: "Verify that a run's files are there and whole.",
      description: PARTIAL,
      body: "VerifyRequest",
      refusals: [404],
    },
  ],
  [
    "pruneBackups",
    {
      prepare: preparePrune,
      summary: "Forget runs by a policy, and delete what no run needs that stays.",
      description:
        "409 while a backup writes there, or another prune is at work in the container (`activeRun` is its id).",
      body: "PruneRequest",
      refusals: [DAMAGED],
    },
  ],
]);
