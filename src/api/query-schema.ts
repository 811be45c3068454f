/** What the routes take as a query. The OpenAPI document is built from these. */
import { z } from "zod";
import { RUN_KINDS, RUN_STATUSES } from "../ledger/run-record.ts";
import { OUTCOMES } from "../model/outcome.ts";
import { container as inContainer, pathInRun, prefix as inPrefix } from "../model/request-fields.ts";

/** A query parameter that is a whole number. */
const whole = (fallback: number, most: number) =>
  z.coerce
    .number({ error: `expected a number from 1 to ${most}` })
    .int(`expected a number from 1 to ${most}`)
    .min(1, `expected a number from 1 to ${most}`)
    .max(most, `expected a number from 1 to ${most}`)
    .default(fallback);

const moment = z.iso.datetime({ offset: true, error: 'expected a time, e.g. "2026-11-23T14:30:00Z"' });
const token = z.string().max(4096);

const oneOf = <const T extends readonly [string, ...string[]]>(names: T) =>
  z.enum(names, { error: `expected one of ${names.join(", ")}` });

export const runsQuery = z.strictObject({
  kind: oneOf([...RUN_KINDS, "all"])
    .default("backup")
    .describe("The kind of run."),
  status: oneOf(RUN_STATUSES).optional().describe("The state of the run."),
  root: z.string().optional().describe("Only runs of this directory."),
  container: z.string().optional().describe("Only runs to this container."),
  prefix: z.string().optional().describe("Only runs to this prefix; empty means no prefix."),
  since: moment.optional().describe("Only runs that started at this time or later."),
  until: moment.optional().describe("Only runs that started at this time or earlier."),
  limit: whole(50, 1000).describe("Runs a page, at most."),
  continuation: token.optional(),
});
export type RunsQuery = z.infer<typeof runsQuery>;

export const filesQuery = z.strictObject({
  outcome: oneOf(OUTCOMES).optional().describe("Only files with this outcome."),
  path: pathInRun
    .optional()
    .describe("Only this file, or what is below this directory; escaped, as `tree` shows it."),
  prefix: z.string().max(4096).optional().describe("Only files whose path starts with this."),
  text: z
    .string()
    .max(1024)
    .optional()
    .describe("Only files whose path or reason contains this, ignoring case."),
  limit: whole(1000, 10_000).describe("Files a page, at most."),
  continuation: token.optional(),
});
export type FilesQuery = z.infer<typeof filesQuery>;

const treePath = z.string().max(32_767, "longer than any path");

export const treeQuery = filesQuery.pick({ continuation: true }).extend({
  path: treePath
    .default("")
    .describe("The directory, relative to the root, escaped as in answers; empty for the root."),
  recursive: oneOf(["true", "false"])
    .default("false")
    .describe("Also all that is below: each name is then a path relative to the directory."),
  limit: whole(1000, 10_000).describe("Names a page, at most."),
});
export type TreeQuery = z.infer<typeof treeQuery>;

export const storedQuery = z.strictObject({
  container: inContainer.describe("The destination's container."),
  prefix: inPrefix.default("").describe("The destination's prefix; what lies below it counts too."),
  continuation: token.optional(),
});
export type StoredQuery = z.infer<typeof storedQuery>;

export const contentQuery = z.strictObject({
  path: treePath.describe("The file or link, relative to the root, escaped as in answers."),
});

export const deletedQuery = filesQuery.pick({ limit: true, continuation: true });
export type DeletedQuery = z.infer<typeof deletedQuery>;
