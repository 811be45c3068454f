import { DAMAGED, type StartDoc } from "./route.ts";

const PARTIAL =
  "409 while that run is in progress (`activeRun` is its id), because what it has not copied yet would be missing. A run that was " +
  "canceled, terminated or failed has what it had copied: the record's `message` says so, and the output is no error.";

export const STARTS = {
  backupSiteContent: {
    summary: "Back up a directory.",
    description:
      "409 while another run writes to the destination, or a prune is running there (`activeRun` is its id), and if it holds " +
      "the backups of another root (`otherRoot`), unless `allowOtherRoot` is true. A body that is just the path cannot name a destination: " +
      "the backup goes to the container `backups`, whatever root's backups are there.",
    body: "BackupRequest",
    takesPath: true,
    refusals: [403, DAMAGED],
  },
  restoreSiteContent: {
    summary: "Restore a run into a directory.",
    description: PARTIAL,
    body: "RestoreRequest",
    refusals: [403, 404],
  },
  verifyBackup: {
    summary: "Verify that a run's files are present and intact.",
    description: PARTIAL,
    body: "VerifyRequest",
    refusals: [404],
  },
  pruneBackups: {
    summary: "Forget runs by a policy, and delete what no remaining run needs.",
    description:
      "409 while a backup writes there, or another prune is running in the container (`activeRun` is its id).",
    body: "PruneRequest",
    refusals: [DAMAGED],
  },
} satisfies Readonly<Record<string, StartDoc>>;
