import { z } from "zod";
import {
  BACKUP_MODES,
  container,
  exclude,
  explain,
  include,
  prefix,
  root,
  type Parsed,
} from "../model/request-fields.ts";

/** The object form of the body of `POST /orchestrators/backupSiteContent`. Unknown fields are refused by name. */
export const backupRequest = z.strictObject({
  root: root.describe("The directory to back up; absolute."),
  container: container.default("backups").describe("The container the blobs go to; made if missing."),
  prefix: prefix.default("").describe("A folder in the container to put the blobs under."),
  include,
  exclude,
  mode: z
    .enum(BACKUP_MODES)
    .default("full")
    .describe("full copies every file; incremental only those whose size or time of change differs."),
  checksum: z
    .boolean()
    .default(false)
    .describe("Only with incremental: compare contents by MD5 instead of size and time."),
  keepVersions: z
    .boolean()
    .default(true)
    .describe("Keep the old content of what is overwritten, as a snapshot."),
  allowOtherRoot: z
    .boolean()
    .default(false)
    .describe(
      "Let this root write where another root's backups are. Refused otherwise: they would mix. True where the body is the path alone.",
    ),
  acceptFewer: z
    .boolean()
    .default(false)
    .describe(
      "Let the run count though it finds less than a tenth of the files of the last good one. It is suspect and fails otherwise.",
    ),
});

/** A validated request, defaults filled in. */
export type BackupRequest = z.infer<typeof backupRequest>;

/** The body as the documentation's sample has it, the bare path, or the object. */
const body = z.union([root.transform((value) => ({ root: value })), z.record(z.string(), z.unknown())]);

/** Reads a body (a string or an object) as a backup request, or says which field is wrong and what was expected. */
export function parseBackupRequest(input: unknown): Parsed<BackupRequest> {
  if (typeof input === "string") {
    const parsed = root.safeParse(input);
    if (!parsed.success) return { ok: false, problem: explain(parsed.error, "The body") };
    // The documentation's call: it can name no destination, nor allow this, so any root may go to the one there is.
    return { ok: true, value: backupRequest.parse({ root: input, allowOtherRoot: true }) };
  }
  if (!body.safeParse(input).success) {
    return {
      ok: false,
      problem: `The body must be a JSON string, the directory's path, or an object with a "root"; got ${kindOf(input)}.`,
    };
  }
  const parsed = backupRequest.safeParse(input);
  if (parsed.data?.checksum && parsed.data.mode === "full") {
    const problem = '"checksum": it says how an incremental run compares; give "mode": "incremental", too.';
    return { ok: false, problem };
  }
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, problem: explain(parsed.error) };
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}
