import { z } from "zod";
import type { Basis, ListingOwn } from "../ledger/listing.ts";
import { LAYOUTS } from "../model/names.ts";
import {
  BACKUP_MODES,
  COMPARE_WITH,
  container,
  exclude,
  explain,
  include,
  prefix,
  root,
  type Parsed,
} from "../model/request-fields.ts";
import type { Place } from "../store/store.ts";

/** A validated request, defaults filled in. */
export type BackupRequest = z.infer<typeof backupRequest>;

/** Where a backup reads and writes, and how. Activities get it from the orchestration, never from a record. */
export interface CopyScope extends Place {
  /** The root as the request names it, which blobs carry in their metadata. */
  root: string;
  realRoot: string;
  basis: Basis;
}

/** The object form of the body of `POST /orchestrators/backupSiteContent`. Unknown fields are refused by name. */
export const backupRequest = z.strictObject({
  root: root.describe("The directory to back up; absolute."),
  container: container.default("backups").describe("The container for the blobs; created if missing."),
  prefix: prefix.default("").describe("A folder in the container to put the blobs under."),
  layout: z
    .enum(LAYOUTS)
    .optional()
    .describe(
      "How the destination keeps contents, for good: files keeps each file as a blob under its own name; packs puts many small " +
        "files into one blob, compressed, and stores equal chunks once. By default a destination keeps the layout that it has, and " +
        "a new one gets that of the setting BACKUP_LAYOUT.",
    ),
  include,
  exclude,
  mode: z
    .enum(BACKUP_MODES)
    .default("full")
    .describe("full copies every file; incremental copies those whose size or times differ."),
  checksum: z
    .boolean()
    .default(false)
    .describe("Only with incremental: compare contents by their hash instead of size and time."),
  compareWith: z
    .enum(COMPARE_WITH)
    .default("destination")
    .describe(
      "Only with incremental: what to compare the files with. destination lists the blobs; record reads what the last run " +
        "recorded of them, if that run was of the same root and filters and ended well, and lists the blobs otherwise. The layout " +
        "packs always uses the record.",
    ),
  keepVersions: z
    .boolean()
    .default(true)
    .describe(
      "Keep the old content of overwritten blobs as snapshots. Not for the layout packs, which overwrites nothing.",
    ),
  allowOtherRoot: z
    .boolean()
    .default(false)
    .describe(
      "Allow a destination that holds another root's backups; their files would mix. True if the body is the path alone.",
    ),
  acceptFewer: z
    .boolean()
    .default(false)
    .describe(
      "Accept a run that finds less than a tenth of the files of the last good one. Without it such a run is suspect and fails.",
    ),
});

/** The body: the bare path, as in the documentation's sample, or the object. */
const body = z.union([root.transform((value) => ({ root: value })), z.record(z.string(), z.unknown())]);

/** Parses a body, a string or an object. */
export function parseBackupRequest(input: unknown): Parsed<BackupRequest> {
  if (typeof input === "string") {
    const parsed = root.safeParse(input);
    if (!parsed.success) return { ok: false, problem: explain(parsed.error, "The body") };
    // The documentation's call cannot name a destination, so any root may use the default one.
    return { ok: true, value: backupRequest.parse({ root: input, allowOtherRoot: true }) };
  }
  if (!body.safeParse(input).success) {
    return {
      ok: false,
      problem: `The body must be a JSON string, the directory's path, or an object with a "root"; got ${kindOf(input)}.`,
    };
  }
  const parsed = backupRequest.safeParse(input);
  if (parsed.data?.mode === "full") {
    const { checksum, compareWith } = parsed.data;
    const field = checksum ? '"checksum"' : compareWith === "record" ? '"compareWith": "record"' : undefined;
    if (field !== undefined)
      return { ok: false, problem: `${field}: only for incremental runs; add "mode": "incremental".` };
  }
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, problem: explain(parsed.error) };
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}

export function copyScope(
  { root, container, prefix }: BackupRequest,
  { realRoot, layout, ...basis }: ListingOwn,
): CopyScope {
  return { root, realRoot, container, prefix, layout, basis };
}
