import path from "node:path";
import { z } from "zod";
import type { PlanOwn } from "../manifest/plan-record.ts";
import {
  container,
  directory,
  exclude,
  include,
  parseObject,
  pathInRun,
  prefix,
  root,
  runId,
  type Parsed,
} from "../model/request-fields.ts";
import { normalRoot } from "../model/root-path.ts";
import type { Place } from "../store/store.ts";

const SELECTORS = ["container", "prefix", "root"] as const;

/** A validated request, defaults filled in. */
export type RestoreRequest = z.infer<typeof restoreRequest>;

/** Where a restore reads and writes, and how. Activities get it from the orchestration, never from a record. */
export interface RestoreScope extends Place, Pick<RestoreRequest, "overwrite" | "delete"> {
  /** The directory to restore into, as the request names it. */
  target: string;
  realTo: string;
}

const to = directory("D:\\home\\site\\wwwroot")
  // Normalized once, so that everyone means the same directory: a kernel resolves "link/.." to the parent of the link's target.
  .transform((value) => normalRoot((path.isAbsolute(value) ? path : path.win32).normalize(value)));

/** What a restore does with a name that is there already. */
const overwrite = z.enum(["never", "changed", "always"]);

/** The body of `POST /orchestrators/restoreSiteContent`. Unknown fields are refused by name. */
export const restoreRequest = z
  .strictObject({
    run: runId.optional().describe("The run to restore, by its id."),
    at: z.iso
      .datetime({ offset: true, error: 'expected a time, e.g. "2026-11-23T14:30:00Z"' })
      .optional()
      .describe(
        "Instead of run: the newest good run of the destination that began at or before this time and has ended.",
      ),
    container: container.optional().describe("With at: the destination's container."),
    prefix: prefix.optional().describe("With at: the destination's prefix."),
    root: root.optional().describe("With at: only runs of this root, if several share a destination."),
    to: to.describe("The directory to restore into; absolute. Made if missing."),
    path: pathInRun
      .optional()
      .describe(
        "Only this file, or this directory and what is below it; to the same place below `to`. Escaped, as `tree` shows it.",
      ),
    include,
    exclude,
    overwrite: overwrite
      .default("changed")
      .describe(
        "What to do with files that are there already: never replace them, replace those whose size or modification time differs, or always.",
      ),
    delete: z
      .boolean()
      .default(false)
      .describe(
        "Remove what the directory has and the run has not, if the request's and the run's patterns cover it. Done last, and only if nothing failed.",
      ),
    dryRun: z.boolean().default(false).describe("Write nothing; only record what would be done."),
  })
  .refine(({ run, at }) => (run === undefined) !== (at === undefined), {
    error: 'name what to restore: either "run" (an id) or "at" (a time)',
  })
  .refine((value) => value.run === undefined || SELECTORS.every((name) => value[name] === undefined), {
    error: '"container", "prefix" and "root" go with "at"; a run knows its own',
  });

export function parseRestoreRequest(input: unknown): Parsed<RestoreRequest> {
  return parseObject(restoreRequest, input, '"run" (or "at") and "to"');
}

/** What a restore's record says from the start, besides its source. */
export function whatItIs({ to, dryRun }: RestoreRequest) {
  return { kind: "restore", root: to, dryRun: dryRun || undefined } as const;
}

export function restoreScope(
  { to, overwrite, delete: deletes }: RestoreRequest,
  { source, realTo }: PlanOwn,
): RestoreScope {
  const { container, prefix, layout } = source;
  return { target: to, realTo, container, prefix, layout, overwrite, delete: deletes };
}
