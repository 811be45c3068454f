import path from "node:path";
import { z } from "zod";
import { LEDGER_CONTAINER } from "../model/ledger-container.ts";
import { isPath } from "../model/path.ts";
import { normalRoot } from "../model/root-path.ts";

/** A container's name, by Blob Storage's rule: 3–63 of a-z, 0-9 and single hyphens. */
const CONTAINER = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;

const root = z
  .string({ error: 'expected the directory\'s path, e.g. "/home/site/wwwroot"' })
  .min(1, { error: "expected the directory's path, got an empty string", abort: true })
  .max(4096, "a path has at most 4,096 characters")
  .refine((value) => !value.includes("\0"), "a path cannot contain a NUL character")
  .refine(isPath, "a path must be valid Unicode")
  .refine(
    (value) => path.posix.isAbsolute(value) || path.win32.isAbsolute(value),
    'expected an absolute path, e.g. "/home/site/wwwroot" or "D:\\home\\LogFiles"',
  )
  .transform(normalRoot);

/** @param otherwise what to do instead of a "!" that a pattern begins with */
function patterns(otherwise: string) {
  const pattern = z
    .string()
    .min(1, "a pattern cannot be empty")
    .max(1024, "a pattern has at most 1,024 characters")
    .refine((value) => !value.startsWith("!"), {
      error: ({ input }) =>
        `${JSON.stringify(String(input).slice(0, 64))}: a pattern cannot begin with "!". ${otherwise}, or write "\\!" where a name begins with it`,
    });
  return z
    .array(pattern)
    .max(256, "at most 256 patterns")
    .refine((list) => list.join("").length <= 16_384, "at most 16,384 characters in all patterns together")
    .default([]);
}

const prefix = z
  .string()
  .max(512, "a prefix has at most 512 characters")
  .transform((value) => value.replace(/^\/+|\/+$/g, ""))
  .refine((value) => value === "" || value.split("/").every(isPlainSegment), {
    error: 'expected folder names separated by "/", none of them empty, "." or "..", none ending in "."',
  });

/** The object form of the body of `POST /orchestrators/backupSiteContent`. Unknown fields are refused by name. */
export const backupRequest = z.strictObject({
  root: root.describe("The directory to back up; absolute."),
  container: z
    .string()
    .regex(CONTAINER, "expected 3 to 63 lower-case letters, digits and single hyphens")
    .refine(
      (value) => value !== LEDGER_CONTAINER,
      `"${LEDGER_CONTAINER}" is where the ledgers are; choose another`,
    )
    .default("backups")
    .describe("The container the blobs go to; made if missing."),
  prefix: prefix.default("").describe("A folder in the container to put the blobs under."),
  include: patterns('To leave something out, name it in "exclude"').describe(
    "Only what matches one of these patterns, which are those of `.gitignore`: `*.log`, `/cache`, `logs/`, `a/**/z`. None: all.",
  ),
  exclude: patterns("What one pattern leaves out, another cannot take back in: remove this one").describe(
    "Nothing that matches one of these patterns, whatever `include` says.",
  ),
  mode: z
    .enum(["full", "incremental"])
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

export type Parsed<T> = { ok: true; value: T } | { ok: false; problem: string };

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

/** All issues of a schema as one line for people, each with its field. */
export function explain(error: z.ZodError, whole = "The body"): string {
  const lines = error.issues.slice(0, 5).map((issue) => {
    if (issue.code === "unrecognized_keys") {
      return `unknown field ${issue.keys.map((key) => `"${key.slice(0, 64)}"`).join(", ")}`;
    }
    const field = z.core.toDotPath(issue.path);
    return `${field ? `"${field}"` : whole}: ${issue.message}`;
  });
  return `${lines.join("; ")}.`;
}

function isPlainSegment(segment: string): boolean {
  if (segment === "" || !segment.isWellFormed()) return false;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return !segment.endsWith(".") && !/[\u0000-\u001f\u007f\\]/.test(segment);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}
