import type { app as functionApp } from "@azure/functions";
import { toUserError } from "./storage/errors.ts";

/**
 * Whatever an activity throws becomes part of what its run says: an error of storage leaves it in words that tell people
 * what to do, whichever of the activity's steps met it.
 */
export function explainActivityErrors({ hook }: Pick<typeof functionApp, "hook">): void {
  hook.preInvocation((invocation) => {
    const { functionHandler } = invocation;
    if (invocation.invocationContext.options.trigger.type !== "activityTrigger") return;
    invocation.functionHandler = async (...inputs) => {
      try {
        return (await functionHandler(...inputs)) as unknown;
      } catch (error) {
        throw toUserError(error);
      }
    };
  });
}
