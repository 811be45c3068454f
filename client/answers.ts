/** What the app answers; GET /openapi.json has the full description. */

/** Files by outcome, and bytes. */
export interface Counts {
  copied: number;
  unchanged: number;
  vanished: number;
  skipped: number;
  failed: number;
  /** Only for a prune. */
  deleted?: number;
  directories: number;
  /** Bytes copied; for a prune, bytes deleted. */
  bytes: number;
  unchangedBytes: number;
}

/** How a destination keeps contents: a blob a file, or many in packs. */
export const LAYOUTS = ["files", "packs"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** The Durable status of a run. */
export interface Status {
  instanceId: string;
  runtimeStatus: "Pending" | "Running" | "Suspended" | "Completed" | "Failed" | "Terminated" | "Canceled";
  output: unknown;
  customStatus?: unknown;
}

/** A run that was started: its id, and where to ask for its status. */
export interface Started {
  id: string;
  location: string;
}

export interface Progress {
  /** What is to be copied, as far as it has been listed; complete when nothing is left to list. */
  listed: { files: number; bytes: number; complete: boolean };
  /** How much of it is done. */
  settled: { files: number; bytes: number };
  bytesPerSecond: number;
  filesPerSecond: number;
  secondsLeft?: number;
}

/** A run's record. */
export interface Run {
  id: string;
  /** The app that runs it. */
  app?: string;
  kind: string;
  of?: string;
  /** It only reports what it would do. */
  dryRun?: boolean;
  root: string;
  destination: { container: string; prefix: string; url: string };
  /** Absent in answers of older apps. */
  layout?: Layout;
  mode: "full" | "incremental";
  status: "running" | "completed" | "failed" | "canceled" | "skipped";
  started: string;
  finished?: string;
  counts?: Counts;
  /** Files in progress when it was canceled may still be recorded: the counts are not final. */
  settling?: true;
  bytes?: number;
  message?: string;
  /** Patterns that matched nothing. */
  warnings?: string[];
  /** What a backup compared with that was to compare with the record of the last run. */
  comparedWith?: { run: string } | { destination: true; because: string };
  /** A backup that found so few files that it does not count. */
  suspect?: true;
  /** It stopped before it had tried every file, and does not count. */
  brokenOff?: true;
  /** It is dated in the future, and does not count until then. */
  postdated?: true;
  /** The prune that forgot it: it can no longer be restored. */
  forgotten?: string;
  progress?: Progress;
}

/** The outcome of one file. */
export interface FileOutcome {
  path: string;
  outcome: "copied" | "unchanged" | "vanished" | "skipped" | "failed" | "deleted";
  kind: "file" | "link" | "directory" | "other";
  size: number;
  reason?: string;
}

/**
 * A name in a directory of a backup. It and `target` are escaped, as a path in a query is (escapePath in src/model/path.ts): they
 * can be shown as they are, and joined with `/`.
 */
export interface TreeEntry {
  /** A path relative to the directory, if all that is below it was asked for. */
  name: string;
  /** Something in the name is escaped. */
  escaped?: true;
  kind: "file" | "link" | "directory" | "other";
  /** Bytes of content in the backup. */
  size: number;
  /** Microseconds since 1970. */
  mtime?: number;
  mode?: number;
  /** Base64 of the content's MD5, in the layout files. */
  md5?: string;
  /** Base64 of the content's SHA-256, in the layout packs; absent for a file in chunks. */
  sha256?: string;
  /** What a link points to, where the record says so. */
  target?: string;
  /** Something in the target is escaped. */
  targetEscaped?: true;
  /** Absent for a directory that is not empty. */
  outcome?: FileOutcome["outcome"];
  reason?: string;
}

/** The names in a directory of a backup: a page of them. */
export interface TreePage {
  run: string;
  /** The directory, escaped; "" is the root. */
  path: string;
  /** Something in the path is escaped. */
  escaped?: true;
  /** Of the directory itself, on the first page; see TreeEntry. */
  mtime?: number;
  mode?: number;
  entries: TreeEntry[];
  /** The prune that forgot the run: contents may be gone. */
  forgotten?: string;
  /** Defects of the records that were read: names may be missing. */
  damaged?: { record: string; reason: string }[];
  continuation?: string;
}

/** A number of blobs, snapshots or versions. */
export interface Amount {
  blobs: number;
  bytes: number;
}

/** How much lies in a destination, or in a part of it. */
export interface Stored {
  current: Amount;
  /** Snapshots and versions. */
  old: Amount;
  /** What no backup wrote. */
  others: Amount;
  continuation?: string;
}

/** A name that a restore removed, or a dry run would remove. */
export interface DeletedName {
  path: string;
  kind: "file" | "directory";
}

/** A page of a list. */
export interface Page<T> {
  items: T[];
  continuation?: string;
}

/** Whether a backup can be restored or verified: of a directory that did not exist nothing is backed up. */
export function holdsSomething({ status, counts }: Pick<Run, "status" | "counts">): boolean {
  return status === "completed" || (counts !== undefined && counts.copied + counts.unchanged > 0);
}

/** Whether a backup is the one to restore or verify if none is named: the app calls such a run good. */
export function isGood(run: Run): boolean {
  const { status, counts, suspect, postdated, brokenOff, forgotten } = run;
  if (suspect || postdated || brokenOff || forgotten !== undefined) return false;
  return status === "completed" || (status === "failed" && (counts?.failed ?? 0) > 0 && holdsSomething(run));
}
