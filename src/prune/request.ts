import { z } from "zod";
import type { Opening } from "../ledger/runs.ts";
import { container, parseObject, prefix, type Parsed } from "../model/request-fields.ts";
import { isEmpty } from "./policy.ts";
import { WITHIN } from "./within.ts";

const WHOLE = 'expected a whole number, or "unlimited"';
const count = z.union([z.int().min(0, WHOLE).max(1_000_000, WHOLE), z.literal("unlimited")], {
  error: WHOLE,
});
const keep = (what: string) => count.optional().describe(`Keep ${what}.`);

/** The body of `POST /orchestrators/pruneBackups`. The options mean what they mean to restic. */
export const pruneRequest = z
  .strictObject({
    container: container.default("backups").describe("The destination's container."),
    prefix: prefix.default("").describe("The destination's prefix."),
    keepLast: keep("the newest runs, so many"),
    keepHourly: keep("the newest run of each of the last so many hours that have one"),
    keepDaily: keep("the newest run of each of the last so many days that have one"),
    keepWeekly: keep("the newest run of each of the last so many weeks that have one"),
    keepMonthly: keep("the newest run of each of the last so many months that have one"),
    keepYearly: keep("the newest run of each of the last so many years that have one"),
    keepWithin: z
      .string()
      .regex(WITHIN, 'expected a span such as "30d" or "1y2m3d4h"')
      .optional()
      .describe('Keep all runs that are at most so much older than the newest: "30d", "1y2m3d4h".'),
    dryRun: z.boolean().default(false).describe("Delete nothing; only tell what would go."),
  })
  .refine(({ container: _container, prefix: _prefix, dryRun: _dryRun, ...policy }) => !isEmpty(policy), {
    error:
      "no keep option is given, and a prune that keeps nothing is refused; set at least one of keepLast, keepHourly, " +
      "keepDaily, keepWeekly, keepMonthly, keepYearly, keepWithin",
  });

/** A validated request, defaults filled in. */
export type PruneRequest = z.infer<typeof pruneRequest>;

/** Reads a body as a prune request, or says which field is wrong and what was expected. */
export function parsePruneRequest(input: unknown): Parsed<PruneRequest> {
  return parseObject(pruneRequest, input, "at least one keep option");
}

/** What the record of a prune says of it. */
export function pruneOpening({
  container,
  prefix,
  dryRun,
}: Pick<PruneRequest, "container" | "prefix" | "dryRun">): Opening {
  return { kind: "prune", dryRun: dryRun || undefined, root: "", container, prefix, mode: "full" };
}
