import path from "node:path";
import { z } from "zod";
import { backupRequest, explain, type Parsed } from "../backup/request.ts";
import { normalRoot } from "../model/root-path.ts";
import { isPath } from "../model/path.ts";
import { RUN_ID } from "../model/run-id.ts";

/** A run's id: the instance id of its orchestration. */
export const runId = z
  .string({ error: "expected a run's id" })
  .regex(RUN_ID, "expected a run's id, as the start of a backup answered it");

const to = z
  .string({ error: 'expected the directory\'s path, e.g. "/home/site/wwwroot"' })
  .min(1, { error: "expected the directory's path, got an empty string", abort: true })
  .max(4096, "a path has at most 4,096 characters")
  .refine((value) => !value.includes("\0"), "a path cannot contain a NUL character")
  .refine(isPath, "a path must be valid Unicode")
  .refine(
    (value) => path.posix.isAbsolute(value) || path.win32.isAbsolute(value),
    'expected an absolute path, e.g. "/home/site/wwwroot" or "D:\\home\\site\\wwwroot"',
  )
  // Once, so that all who look at it mean the same directory: a kernel takes "link/.." for what is above the link's target.
  .transform((value) => normalRoot((path.isAbsolute(value) ? path : path.win32).normalize(value)));

const { container, prefix, root, include, exclude } = backupRequest.shape;

/** What a restore does with a name that is in the directory already. */
const overwrite = z.enum(["never", "changed", "always"]);

/** The body of `POST /orchestrators/restoreSiteContent`. Unknown fields are refused by name. */
export const restoreRequest = z
  .strictObject({
    run: runId.optional().describe("The run to restore, by its id."),
    at: z.iso
      .datetime({ offset: true, error: 'expected a time, e.g. "2026-11-23T14:30:00Z"' })
      .optional()
      .describe(
        "Instead of run: the newest run of the destination that began at or before this time, has ended and backed something up.",
      ),
    container: container.unwrap().optional().describe("With at: the destination's container."),
    prefix: prefix.unwrap().optional().describe("With at: the destination's prefix."),
    root: root.optional().describe("With at: only runs of this root, where several share a destination."),
    to: to.describe("The directory to restore into; absolute. Made if missing."),
    include,
    exclude,
    overwrite: overwrite
      .default("changed")
      .describe(
        "What is there already: never touch it, replace it where size or time of change differs, or always.",
      ),
    delete: z
      .boolean()
      .default(false)
      .describe(
        "Remove what the directory has and the run has not, last, and only when nothing failed; only what the patterns (and the run's) cover.",
      ),
    dryRun: z.boolean().default(false).describe("Only record what would be done."),
  })
  .refine(({ run, at }) => (run === undefined) !== (at === undefined), {
    error: 'name what to restore: either "run" (an id) or "at" (a time)',
  })
  .refine((value) => value.run === undefined || SELECTORS.every((name) => value[name] === undefined), {
    error: '"container", "prefix" and "root" go with "at"; a run knows its own',
  });

const SELECTORS = ["container", "prefix", "root"] as const;

/** A validated request, defaults filled in. */
export type RestoreRequest = z.infer<typeof restoreRequest>;

/** Reads a body as a restore request, or says which field is wrong and what was expected. */
export function parseRestoreRequest(input: unknown): Parsed<RestoreRequest> {
  return parseObject(restoreRequest, input, '"run" (or "at") and "to"');
}

/** Reads a body that must be an object. @param fields what it must have at least, for people */
export function parseObject<T>(schema: z.ZodType<T>, input: unknown, fields: string): Parsed<T> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { ok: false, problem: `The body must be a JSON object with ${fields}.` };
  }
  const parsed = schema.safeParse(input);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, problem: explain(parsed.error) };
}
