import { z } from "zod";
import { parseObject, runId, type Parsed } from "../model/request-fields.ts";

const percentage = z
  .string()
  .regex(/^(100|\d{1,2})(\.\d{1,3})?%$/, 'expected true, false or a share such as "5%"')
  .refine(
    (value) => Number.parseFloat(value) > 0 && Number.parseFloat(value) <= 100,
    "expected more than 0% and at most 100%",
  );

/** The body of `POST /orchestrators/verifyBackup`. Unknown fields are refused by name. */
export const verifyRequest = z.strictObject({
  run: runId.describe("The run to verify, by its id."),
  readData: z
    .union([z.boolean(), percentage], { error: 'expected true, false or a share such as "5%"' })
    .default(false)
    .describe(
      "Read contents back and hash them: all, none, or a random share of the files (at least one), which each " +
        "verification draws anew.",
    ),
});

/** A validated request, defaults filled in. */
export type VerifyRequest = z.infer<typeof verifyRequest>;

export function parseVerifyRequest(input: unknown): Parsed<VerifyRequest> {
  return parseObject(verifyRequest, input, '"run"');
}
