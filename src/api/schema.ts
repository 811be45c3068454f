import { z } from "zod";
import { comparedWith, RUN_KINDS, RUN_STATUSES } from "../ledger/run-record.ts";
import { fileSize, mtime } from "../ledger/schemas.ts";
import { LAYOUTS } from "../model/names.ts";
import { OUTCOMES } from "../model/outcome.ts";

/** What the routes below `/backups` answer. The OpenAPI document is built from these. */

const count = z.int().min(0);
/** For a check that a JSON schema cannot express. */
const INTEGER = { type: "integer" };
const time = z.iso.datetime({ offset: true });

export const counts = z.object({
  copied: count,
  unchanged: count,
  vanished: count.describe("Gone between listing and copying."),
  skipped: count.describe("Sockets, pipes, devices."),
  failed: count,
  deleted: count.optional().describe("For a prune: blobs, snapshots, versions and records."),
  directories: count.describe("Empty directories, kept as marks."),
  bytes: count.describe("Bytes copied; for a prune, bytes deleted."),
  unchangedBytes: count.describe("Bytes of unchanged files."),
});

const destination = z.object({
  container: z.string(),
  prefix: z.string(),
  url: z.url().describe("The container's address, with the prefix, without key or signature."),
});

const links = z.object({
  self: z.string(),
  files: z.string(),
  failed: z.string().describe("The files that failed."),
  tree: z.string().optional().describe("For a backup: the names in its root."),
  cancel: z.string().optional().describe("POST here stops the run; absent once it has ended."),
});

/** A run in a list of runs. */
const runSummary = z.object({
  id: z.string(),
  app: z
    .string()
    .optional()
    .describe("The app that runs it, if several share a storage account. Absent in runs of older versions."),
  kind: z.enum(RUN_KINDS),
  of: z.string().optional().describe("The run that is restored or verified."),
  dryRun: z
    .boolean()
    .optional()
    .describe("A restore or prune that only reports what it would do; absent otherwise."),
  root: z.string(),
  destination,
  layout: z
    .enum(LAYOUTS)
    .describe("How the destination keeps contents: one blob for each file, or many files in a pack."),
  mode: z.enum(["full", "incremental"]),
  status: z.enum(RUN_STATUSES),
  started: time,
  finished: time.optional(),
  counts: counts.optional().describe("Files by outcome; in a list only once the run has ended."),
  settling: z
    .literal(true)
    .optional()
    .describe(
      "The run was canceled or terminated less than an hour ago: running activities may still record outcomes, and the counts may grow.",
    ),
  bytes: count.optional().describe("Bytes copied; for a prune, bytes deleted."),
  throttled: count
    .optional()
    .describe("Requests that storage throttled or left unanswered and that were sent again; absent if none."),
  suspect: z
    .literal(true)
    .optional()
    .describe("The backup found less than a tenth of the files of the last good one, and does not count."),
  brokenOff: z
    .literal(true)
    .optional()
    .describe("The run stopped before it had tried every file, and does not count."),
  postdated: z
    .literal(true)
    .optional()
    .describe("The run is dated in the future, because a clock was wrong; it does not count until then."),
  forgotten: z.string().optional().describe("The prune that forgot this run: it can no longer be restored."),
  links,
});
export type RunSummaryView = z.infer<typeof runSummary>;

export const progress = z.object({
  listed: z
    .object({ files: count, bytes: count, complete: z.boolean() })
    .describe("What is to be copied, as far as it has been listed; complete when nothing is left to list."),
  settled: z.object({ files: count, bytes: count }).describe("How much of it is done, whatever the outcome."),
  bytesPerSecond: z.number().min(0),
  filesPerSecond: z.number().min(0),
  secondsLeft: z.number().min(0).optional().describe("A guess; only when listing is complete."),
});
export type Progress = z.infer<typeof progress>;

/** A single run. */
export const run = runSummary.extend({
  message: z
    .string()
    .optional()
    .describe("Why it failed or was skipped; for a restore or verification also that its backup is partial."),
  warnings: z
    .array(z.string())
    .optional()
    .describe(
      "Patterns of include and exclude that matched nothing, one sentence each; absent if there are none.",
    ),
  comparedWith: comparedWith
    .optional()
    .describe(
      "What a backup compared its files with, if it was to use the record of the last run: that run, or the destination, and why.",
    ),
  progress: progress.optional().describe("While it runs."),
});
export type RunView = z.infer<typeof run>;

const continuation = z
  .string()
  .optional()
  .describe("Pass this as the query's continuation to get the next page; absent on the last one.");

export const runPage = z.object({
  runs: z.array(runSummary),
  damaged: z.array(z.string()).optional().describe("Ids of runs whose record cannot be read."),
  continuation,
});
export type RunPage = z.infer<typeof runPage>;

const hashes = {
  md5: z.string().optional().describe("The MD5 of the content, in the layout files; base64."),
  sha256: z
    .string()
    .optional()
    .describe(
      "The SHA-256 of the content, in the layout packs; base64. Absent for a file above 4 MiB: each of its chunks has its own.",
    ),
};

/** The outcome of one file: a line of the ledger. */
export const fileOutcome = z.object({
  path: z
    .string()
    .describe(
      "Relative to the root, with `/` between segments. A byte that is not valid UTF-8 appears as one of U+DC80 to U+DCFF.",
    ),
  outcome: z.enum(OUTCOMES),
  kind: z.enum(["file", "link", "directory", "other"]),
  size: fileSize.meta(INTEGER),
  mtime: mtime.meta(INTEGER).optional().describe("Microseconds since 1970."),
  mode: z.int().optional(),
  ...hashes,
  target: z.string().optional().describe("What a link points to, in the form of a path."),
  reason: z.string().optional(),
});
export type FileOutcome = z.infer<typeof fileOutcome>;

const damage = z
  .object({ record: z.string(), offset: count })
  .describe("A line of the ledger that cannot be read.");
export type Damage = z.infer<typeof damage>;

export const filePage = z.object({
  run: z.string(),
  files: z.array(fileOutcome),
  damaged: z.array(damage).optional(),
  continuation,
});
export type FilePage = z.infer<typeof filePage>;

const escapedForm =
  "Escaped: a byte that is not valid UTF-8 as `\\xff`, a character that does not print as `\\n` or `\\u{202e}`, and a backslash doubled where it would start an escape.";

/** A name in a directory of a run. */
const treeEntry = z.object({
  name: z.string().describe(escapedForm),
  escaped: z.literal(true).optional().describe("Something in the name is escaped."),
  kind: z.enum(["file", "link", "directory", "other"]),
  size: fileSize.meta(INTEGER).describe("Bytes of content in the backup."),
  mtime: mtime.meta(INTEGER).optional().describe("Microseconds since 1970."),
  mode: z.int().optional(),
  ...hashes,
  target: z
    .string()
    .optional()
    .describe(
      "What a link points to, escaped like a name; absent where the record does not say. `content` always does.",
    ),
  targetEscaped: z.literal(true).optional().describe("Something in the target is escaped."),
  outcome: z.enum(OUTCOMES).optional().describe("Absent for a directory that is not empty."),
  reason: z.string().optional().describe("Why it is not in the backup, or what else there is to say."),
});
export type TreeEntry = z.infer<typeof treeEntry>;

export const treePage = z.object({
  run: z.string(),
  path: z.string().describe("The directory, escaped; empty for the root. Join a name to it with `/`."),
  escaped: z.literal(true).optional().describe("Something in the path is escaped."),
  mtime: mtime.meta(INTEGER).optional().describe("The time of the directory itself, on the first page."),
  mode: z.int().optional().describe("The same."),
  forgotten: z
    .string()
    .optional()
    .describe("The prune that forgot this run: contents may be gone. Absent if none did."),
  entries: z.array(treeEntry),
  damaged: z
    .array(z.object({ record: z.string(), reason: z.string() }))
    .optional()
    .describe(
      "Defects of the records that were read, at most 100: names may be missing. Absent if there are none.",
    ),
  continuation,
});
export type TreePage = z.infer<typeof treePage>;

/** A name that a restore removed. */
export const deletedName = z.object({ path: z.string(), kind: z.enum(["file", "directory"]) });

export const deletedPage = z.object({
  run: z.string(),
  deleted: z.array(deletedName),
  damaged: z.array(damage).optional(),
  continuation,
});
export type DeletedPage = z.infer<typeof deletedPage>;

const amount = z.object({ blobs: count, bytes: count });

export const storedPage = z.object({
  container: z.string(),
  prefix: z.string(),
  current: amount.describe("Blobs that backups wrote."),
  old: amount.describe("Snapshots and versions of such blobs that are kept."),
  others: amount.describe("What no backup wrote."),
  continuation,
});
export type StoredPage = z.infer<typeof storedPage>;
