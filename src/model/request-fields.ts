/** The fields that the requests of several operations share, and how a body is read. */
import path from "node:path";
import { z } from "zod";
import { LEDGER_CONTAINER, RUN_ID } from "./names.ts";
import { isPath, parsePath } from "./path.ts";
import { normalRoot } from "./root-path.ts";
import { unsafePath } from "./safe-path.ts";

/** A request read from a body, or what is wrong with the body. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; problem: string };

/** How a backup treats files that have not changed. */
export const BACKUP_MODES = ["full", "incremental"] as const;
export type BackupMode = (typeof BACKUP_MODES)[number];

/** What an incremental backup compares the tree with. */
export const COMPARE_WITH = ["destination", "record"] as const;
export type CompareWith = (typeof COMPARE_WITH)[number];

/** A container's name, by Blob Storage's rule: 3–63 of a-z, 0-9 and single hyphens. */
const CONTAINER = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;

/** A container other than the ledgers'. */
export const container = z
  .string()
  .regex(CONTAINER, "expected 3 to 63 lower-case letters, digits and single hyphens")
  .refine(
    (value) => value !== LEDGER_CONTAINER,
    `"${LEDGER_CONTAINER}" is where the ledgers are; choose another`,
  );

/** A directory's absolute path. @param windows an example for Windows */
export function directory(windows: string) {
  return z
    .string({ error: 'expected the directory\'s path, e.g. "/home/site/wwwroot"' })
    .min(1, { error: "expected the directory's path, got an empty string", abort: true })
    .max(4096, "a path has at most 4,096 characters")
    .refine((value) => !value.includes("\0"), "a path cannot contain a NUL character")
    .refine(isPath, "a path must be valid Unicode")
    .refine(
      (value) => path.posix.isAbsolute(value) || path.win32.isAbsolute(value),
      `expected an absolute path, e.g. "/home/site/wwwroot" or "${windows}"`,
    );
}

/** The directory to back up. */
export const root = directory("D:\\home\\LogFiles").transform(normalRoot);

/** @param otherwise what to do instead of starting a pattern with "!" */
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

/** Which names to take. */
export const include = patterns('To leave something out, name it in "exclude"').describe(
  "Only what matches one of these patterns, written as in `.gitignore`: `*.log`, `/cache`, `logs/`, `a/**/z`. Empty: everything.",
);

export const exclude = patterns(
  "What one pattern leaves out, another cannot take back in: remove this one",
).describe("Nothing that matches one of these patterns, whatever `include` says.");

/** A path in a run as people read and type it; `parsePath` gives the path. */
export const pathInRun = z
  .string()
  .max(32_767, "longer than any path")
  .refine((text) => whyNotInRun(text) === undefined, {
    error: ({ input }) =>
      `${whyNotInRun(String(input))}; expected one relative to the root, e.g. "images/2026"`,
  });

/**
 * Why no run has such a path, as a message. What Windows cannot name does not matter: a run may be of another machine.
 * @param text in its escaped form
 */
export function whyNotInRun(text: string): string | undefined {
  try {
    return unsafePath(parsePath(text), "linux");
  } catch (error) {
    if (error instanceof RangeError) return "no file can have such a name";
    throw error;
  }
}

/** A folder in a container. */
export const prefix = z
  .string()
  .max(512, "a prefix has at most 512 characters")
  .transform((value) => value.replace(/^\/+|\/+$/g, ""))
  .refine((value) => value === "" || value.split("/").every(isPlainSegment), {
    error: 'expected folder names separated by "/", none of them empty, "." or "..", none ending in "."',
  });

/** A run's id: the instance id of its orchestration. */
export const runId = z
  .string({ error: "expected a run's id" })
  .regex(RUN_ID, "expected a run's id, as the start of a backup answered it");

/** The issues of a schema in one line, each with its field. */
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

/** Reads a body that must be an object. @param fields what it must at least have, as the message calls it */
export function parseObject<T>(schema: z.ZodType<T>, input: unknown, fields: string): Parsed<T> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { ok: false, problem: `The body must be a JSON object with ${fields}.` };
  }
  const parsed = schema.safeParse(input);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, problem: explain(parsed.error) };
}

function isPlainSegment(segment: string): boolean {
  if (segment === "" || !segment.isWellFormed()) return false;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return !segment.endsWith(".") && !/[\u0000-\u001f\u007f\\]/.test(segment);
}
