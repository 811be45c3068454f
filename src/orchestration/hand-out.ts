import type { BatchRef, LargeRef, PartInput } from "../ledger/parts.ts";
import type { Part } from "../ledger/settle-part.ts";

/**
 * The inputs of a part's activities and sub-orchestrations: some lines of a list, and where they may read and write. All of
 * it comes from the request and the part's result, through the history.
 * @param scope what each activity is given beside its lines
 */
export function handOut<Request, Own, Scope>(
  { run, part, request }: PartInput<Request, Own>,
  { own, batches, large, rest }: Pick<Part<Own>, "own" | "batches" | "large" | "rest">,
  scope: Scope,
) {
  return {
    batches: batches.map((lines, batch): BatchRef & Scope => ({ run, part, batch, lines, ...scope })),
    lanes: large.map((lines, lane): LargeRef & Scope => ({ run, part, large: lane, lines, ...scope })),
    parts: rest.map((lines, index): PartInput<Request, Own> => ({
      run,
      part: `${part}.${index}`,
      request,
      left: { own, lines },
    })),
  };
}
