import path from "node:path";
import { z } from "zod";
import {
  container,
  directory,
  exclude,
  include,
  parseObject,
  prefix,
  root,
  runId,
  type Parsed,
} from "../model/request-fields.ts";
import { normalRoot } from "../model/root-path.ts";

const to = directory("D:\\home\\site\\wwwroot")
  // Once, so that all who look at it mean the same directory: a kernel takes "link/.." for what is above the link's target.
  .transform((value) => normalRoot((path.isAbsolute(value) ? path : path.win32).normalize(value)));

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
    container: container.optional().describe("With at: the destination's container."),
    prefix: prefix.optional().describe("With at: the destination's prefix."),
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

/** What the record of a restore says of it, beside its source. */
export function whatItIs({ to, dryRun }: RestoreRequest) {
  return { kind: "restore", root: to, dryRun: dryRun || undefined } as const;
}
