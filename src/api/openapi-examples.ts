import type { BackupRequest } from "../backup/request.ts";
import type { PruneRequest } from "../prune/request.ts";
import type { RestoreRequest } from "../restore/request.ts";
import type { VerifyRequest } from "../verify/request.ts";
import type { DeletedPage, FilePage, RunPage, RunView, StoredPage, TreePage } from "./schema.ts";

const ID = "1d0e432730114054a8168f3e14bea06b";
const STATUS = `https://my-app.azurewebsites.net/runtime/webhooks/durabletask/instances/${ID}`;

const summary: RunPage["runs"][number] = {
  id: ID,
  kind: "backup",
  root: "/home/site/wwwroot",
  destination: {
    container: "backups",
    prefix: "",
    url: "https://mybackups.blob.core.windows.net/backups",
  },
  layout: "files",
  mode: "incremental",
  status: "failed",
  started: "2026-11-23T02:00:00.412Z",
  finished: "2026-11-23T02:00:19.870Z",
  counts: {
    copied: 118,
    unchanged: 4210,
    vanished: 0,
    skipped: 0,
    failed: 1,
    directories: 3,
    bytes: 3075256,
    unchangedBytes: 912680550,
  },
  bytes: 3075256,
  links: {
    self: `/backups/${ID}`,
    files: `/backups/${ID}/files`,
    failed: `/backups/${ID}/files?outcome=failed`,
    tree: `/backups/${ID}/tree`,
  },
};

const run: RunView = {
  ...summary,
  message: `1 of 4329 files failed, the others are backed up. upload/a.tmp: changed while reading. All of them: container backup-runs, ${ID}/outcomes.`,
};

const files: FilePage = {
  run: ID,
  files: [
    {
      path: "index.html",
      outcome: "copied",
      kind: "file",
      size: 452,
      mtime: 1763863200000000,
      mode: 420,
      md5: "XUFAKrxLKna5cZ2REBfFkg==",
    },
    { path: "upload/a.tmp", outcome: "failed", kind: "file", size: 0, reason: "changed while reading" },
  ],
};

const tree: TreePage = {
  run: ID,
  path: "images",
  entries: [
    { name: "2026", kind: "directory", size: 0, mtime: 1763863200000000, mode: 493 },
    {
      name: "caf\\xe9.jpg",
      escaped: true,
      kind: "file",
      size: 20114,
      mtime: 1763863200000000,
      mode: 420,
      md5: "1B2M2Y8AsgTpgAmY7PhCfg==",
      outcome: "unchanged",
    },
  ],
};

const deleted: DeletedPage = { run: ID, deleted: [{ path: "old.html", kind: "file" }] };

const stored: StoredPage = {
  container: "backups",
  prefix: "",
  current: { blobs: 4328, bytes: 915755806 },
  old: { blobs: 311, bytes: 20481024 },
  others: { blobs: 0, bytes: 0 },
};

/** What the routes answer, by the name of the schema. */
export const ANSWERS: Readonly<Record<string, unknown>> = {
  Started: {
    id: ID,
    statusQueryGetUri: `${STATUS}?code=…`,
    sendEventPostUri: `${STATUS}/raiseEvent/{eventName}?code=…`,
    terminatePostUri: `${STATUS}/terminate?reason={text}&code=…`,
    purgeHistoryDeleteUri: `${STATUS}?code=…`,
  },
  Run: run,
  RunPage: { runs: [summary] } satisfies RunPage,
  FilePage: files,
  TreePage: tree,
  DeletedPage: deleted,
  StoredPage: stored,
};

type Sent<T> = Partial<T>;

/** What is sent to start an orchestrator, by its name. */
export const REQUESTS: Readonly<Record<string, unknown>> = {
  backupSiteContent: {
    root: "/home/site/wwwroot",
    mode: "incremental",
    exclude: ["node_modules", "*.log"],
  } satisfies Sent<BackupRequest>,
  restoreSiteContent: {
    run: ID,
    to: "/mounts/restored",
    include: ["/images/"],
    dryRun: true,
  } satisfies Sent<RestoreRequest>,
  pruneBackups: {
    keepDaily: 7,
    keepWeekly: 5,
    keepMonthly: 12,
    dryRun: true,
  } satisfies Sent<PruneRequest>,
  verifyBackup: { run: ID, readData: "5%" } satisfies Sent<VerifyRequest>,
};
