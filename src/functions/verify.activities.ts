import { batchOutcomes, largeOutcome, listingOutcomes } from "../ledger/names.ts";
import { emptyTally } from "../model/outcome.ts";
import { planVerify } from "../verify/plan-verify.ts";
import { verifyBatch, verifyLargeFile } from "../verify/verify-batch.ts";
import { activity } from "./activity.ts";

activity("planVerify", planVerify, {
  event: "part.planned",
  record: ({ part }) => listingOutcomes(part),
});
activity("verifyFiles", verifyBatch, {
  event: "batch.verified",
  record: batchOutcomes,
  whenCanceled: emptyTally(),
});
activity("verifyLargeFile", verifyLargeFile, {
  event: "large.verified",
  record: largeOutcome,
  whenCanceled: "none",
});
