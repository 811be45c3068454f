/** Turns an orchestrator function's answer into what to do. Nothing is written here. */
import { type OrchestratorState, stateInMessage } from "./actions.ts";
import { orchestratorFailure, orchestratorFailureDetails } from "./failure-text.ts";
import type { EventRaised, HistoryEvent } from "./history-event.ts";
import { replayActions, type ReplayRules, type Scheduled } from "./replay-actions.ts";
import { ReplayError } from "./replay-error.ts";
import { messageOf } from "../start-up-error.ts";
import type { InvocationResult } from "../worker/messages.ts";

export interface Decision {
  scheduled: Scheduled[];
  /** JSON text; undefined leaves the status as it is. */
  customStatus: string | undefined;
  ending:
    | { kind: "waiting" }
    | { kind: "completed"; output: string | null }
    | { kind: "failed"; reason: string; details: string }
    | { kind: "continued"; input: string | null; unread: EventRaised[] };
}

export function decideTurn(
  name: string,
  result: InvocationResult,
  events: Iterable<HistoryEvent>,
  rules: ReplayRules,
): Decision {
  let customStatus: string | undefined;
  try {
    const state = stateOf(result);
    if (state.customStatus !== undefined && state.customStatus !== null)
      customStatus = JSON.stringify(state.customStatus);
    const replay = replayActions(events, state.actions.flat(), rules);
    const { scheduled } = replay;
    if (!replay.finished) return { scheduled, customStatus, ending: { kind: "waiting" } };
    if (state.error !== undefined) return { scheduled, customStatus, ending: failure(name, state.error) };
    if (!state.isDone) return { scheduled, customStatus, ending: { kind: "waiting" } };
    if (replay.continueAsNew) {
      return {
        scheduled,
        customStatus,
        ending: { kind: "continued", ...replay.continueAsNew, unread: replay.unread },
      };
    }
    const output = state.output === undefined || state.output === null ? null : JSON.stringify(state.output);
    return { scheduled, customStatus, ending: { kind: "completed", output } };
  } catch (error) {
    // Whatever an app returns fails only its own orchestration; nothing has been written yet.
    const why =
      error instanceof ReplayError ? error.message : `Its actions cannot be read: ${messageOf(error)}`;
    return { scheduled: [], customStatus, ending: failure(name, why) };
  }
}

/** An orchestrator that threw has its state in its error's message. */
function stateOf(result: InvocationResult): OrchestratorState {
  if (result.status === "failure") {
    const state = stateInMessage(result.exception.message);
    if (!state) throw new ReplayError(result.exception.message);
    return { ...state, error: state.error ?? "" };
  }
  const { json, string } = result.response.returnValue ?? {};
  const text = json ?? string;
  if (text === undefined)
    throw new ReplayError(
      "The orchestrator function returned no state. Was it registered with durable-functions?",
    );
  return JSON.parse(text) as OrchestratorState;
}

function failure(name: string, error: string): Decision["ending"] {
  return {
    kind: "failed",
    reason: orchestratorFailure(name, error),
    details: orchestratorFailureDetails(error),
  };
}
