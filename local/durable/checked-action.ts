import { ActionType, type Action } from "./actions.ts";
import { ReplayError } from "./replay-error.ts";

const TEXTS = ["functionName", "instanceId", "version", "fireAt", "externalEventName"] as const;
const SUBS = new Set<number>([ActionType.CallSubOrchestrator, ActionType.CallSubOrchestratorWithRetry]);
/** As for ids from clients: nobody could ask for an instance whose id a path cannot hold. */
const NO_ID = /^@|[/\\?#]|\p{Cc}/u;

/**
 * Checks an action that an app returned. Written by hand, because a wide fan-out has thousands of actions checked in
 * each turn.
 * @throws ReplayError if it is not one
 */
export function checkedAction(given: unknown): Action {
  if (typeof given !== "object" || given === null) throw wrong("an action must be an object");
  const action = given as Action & Record<string, unknown>;
  if (typeof action.actionType !== "number") throw wrong("actionType must be a number");
  for (const name of TEXTS) {
    const value: unknown = action[name];
    if (value !== undefined && value !== null && typeof value !== "string")
      throw wrong(`${name} must be a string`);
  }
  const { instanceId, compoundActions, retryOptions } = action;
  // Entities have ids of another kind.
  const isSub = SUBS.has(action.actionType);
  if (isSub && instanceId && (instanceId.length > 100 || NO_ID.test(instanceId)))
    throw wrong("instanceId is not one that an instance can have");
  if (compoundActions && !Array.isArray(compoundActions)) throw wrong("compoundActions must be an array");
  if (retryOptions) {
    const { firstRetryIntervalInMilliseconds: first, maxNumberOfAttempts: most } = retryOptions;
    if (!(first >= 0) || typeof most !== "number")
      throw wrong("retryOptions must have an interval and a number of attempts");
  }
  return action;
}

function wrong(why: string): ReplayError {
  return new ReplayError(`The orchestrator returned something that is not an action: ${why}.`);
}
