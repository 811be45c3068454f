import { ActionType } from "./actions.ts";
import { EventType, type ScheduledEvent } from "./history-event.ts";

/** The orchestrator asked for something impossible; the message becomes the orchestration's failure. */
export class ReplayError extends Error {
  override name = "ReplayError";
}

/** The kind and name of a scheduling; a different name is a different thing. */
export function nameOf(event: ScheduledEvent): string {
  if (event.EventType === EventType.TimerCreated) return "timer";
  const kind = event.EventType === EventType.TaskScheduled ? "activity" : "sub-orchestration";
  return `${kind} '${event.Name}'`;
}

export function changedMessage(before: ScheduledEvent, now: ScheduledEvent): string {
  return (
    `Non-Deterministic workflow detected: A previous execution of this orchestration scheduled ${nameOf(before)} with ` +
    `sequence ID ${before.EventId}, but the current replay execution scheduled ${nameOf(now)} instead. Was a change made ` +
    `to the orchestrator code after this instance had already started running?`
  );
}

export function unsupportedMessage(actionType: number): string {
  const what =
    actionType === ActionType.CallHttp
      ? "callHttp"
      : [
            ActionType.CallEntity,
            ActionType.SignalEntity,
            ActionType.LockEntities,
            ActionType.ReleaseEntities,
          ].some((type) => type === actionType)
        ? "An entity call"
        : `The action type ${actionType}`;
  return `${what} is not supported on the local host; run the app with func start.`;
}
