import { z } from "zod";
import type { Opening } from "../ledger/runs.ts";
import { container, parseObject, prefix, type Parsed } from "../model/request-fields.ts";
import { isEmpty, WITHIN } from "./policy.ts";

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
    keepLast: keep("the last n runs"),
    keepHourly: keep("the newest run of each of the last n hours that have one"),
    keepDaily: keep("the newest run of each of the last n days that have one"),
    keepWeekly: keep("the newest run of each of the last n weeks that have one"),
    keepMonthly: keep("the newest run of each of the last n months that have one"),
    keepYearly: keep("the newest run of each of the last n years that have one"),
    keepWithin: z
      .string()
      .regex(WITHIN, 'expected a span such as "30d" or "1y2m3d4h"')
      .optional()
      .describe('Keep all runs within this span before the newest run: "30d", "1y2m3d4h".'),
    dryRun: z.boolean().default(false).describe("Delete nothing; only report what would be deleted."),
  })
  .refine(({ container: _container, prefix: _prefix, dryRun: _dryRun, ...policy }) => !isEmpty(policy), {
    error:
      "a prune must keep something; set at least one of keepLast, keepHourly, " +
      "keepDaily, keepWeekly, keepMonthly, keepYearly, keepWithin",
  });

/** A validated request, defaults filled in. */
export type PruneRequest = z.infer<typeof pruneRequest>;

export function parsePruneRequest(input: unknown): Parsed<PruneRequest> {
  return parseObject(pruneRequest, input, "at least one keep option");
}

/** What a prune's record says from the start. */
export function pruneOpening({
  container,
  prefix,
  dryRun,
}: Pick<PruneRequest, "container" | "prefix" | "dryRun">): Opening {
  return { kind: "prune", dryRun: dryRun || undefined, root: "", container, prefix, mode: "full" };
}
