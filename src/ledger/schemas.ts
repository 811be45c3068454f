import { z } from "zod";
import { FARTHEST_TIME } from "../model/entry.ts";

/** Schemas of what the ledger's records have in common. Fields of later releases pass. */

const whole = z.number().int().min(0);

/** A range of a blob; see ListRange. */
export const listRange = z.looseObject({
  list: z.string().min(1),
  offset: whole,
  length: whole.max(2 ** 30),
  sha256: z.string().optional(),
});
export const counts = z.record(z.string(), z.number());
export const tally = z.looseObject({
  counts,
  failures: z.array(z.string()),
  matched: z.array(whole).optional(),
});

/**
 * A number that a file system reports. zod's `int()` takes only safe integers, but a sparse file may have 8 EiB, and a Windows
 * share dates a file without a time to 1601.
 */
const integer = z.number().refine(Number.isInteger, "expected a whole number");
export const fileSize = integer.min(0);
export const mtime = integer.min(-FARTHEST_TIME).max(FARTHEST_TIME);
export const mode = whole.max(0o7777);

/** A line of a list of files to copy or restore; see Entry. */
export const entry = z.looseObject({
  path: z.string().min(1),
  kind: z.enum(["file", "link", "directory"]),
  size: fileSize,
  mtime,
  ctime: mtime.optional(),
  mode,
});
