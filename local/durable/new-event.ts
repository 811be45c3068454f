/** Creates events that happen now. */
import {
  type Common,
  type Completed,
  type Control,
  type EventRaised,
  EventType,
  type ExecutionCompleted,
  type ExecutionStarted,
  type Failed,
  type ParentInstance,
  type ParentTraceContext,
  type SubOrchestrationCreated,
  type TaskScheduled,
  type TimerCreated,
  type TimerFired,
  type TurnMark,
} from "./history-event.ts";

/** The present, as events carry it. */
function timestamp(): string {
  return new Date().toISOString();
}

export function executionStarted(start: {
  instanceId: string;
  executionId: string;
  parent: ParentInstance | null;
  name: string;
  version: string | null;
  input: string | null;
  trace?: ParentTraceContext | null;
  generation: number | null;
}): ExecutionStarted {
  const event = {
    OrchestrationInstance: { InstanceId: start.instanceId, ExecutionId: start.executionId },
    EventType: EventType.ExecutionStarted,
    ParentInstance: start.parent,
    Name: start.name,
    Version: start.version,
    Input: start.input,
    Tags: null,
    Correlation: null,
    ParentTraceContext: start.trace ?? null,
    ScheduledStartTime: null,
    Generation: start.generation,
    GenerateNewTrace: false,
    ...common(-1),
  };
  return event;
}

export function turnMark(type: TurnMark["EventType"], at = timestamp()): TurnMark {
  return { EventType: type, ...common(-1, at) };
}

export function taskScheduled(id: number, name: string): TaskScheduled {
  const event = {
    EventType: EventType.TaskScheduled,
    Name: name,
    Version: "",
    Input: null,
    ParentTraceContext: null,
    Tags: null,
    ...common(id),
  };
  return event;
}

export function subOrchestrationCreated(
  id: number,
  name: string,
  instanceId: string,
  input: string | null,
): SubOrchestrationCreated {
  const event = {
    EventType: EventType.SubOrchestrationInstanceCreated,
    Name: name,
    Version: null,
    InstanceId: instanceId,
    Input: input,
    ClientSpanId: null,
    Tags: null,
    ...common(id),
  };
  return event;
}

export function timerCreated(id: number, fireAt: string): TimerCreated {
  return { EventType: EventType.TimerCreated, FireAt: fireAt, ...common(id) };
}

export function completed(
  type: Completed["EventType"],
  scheduledId: number,
  result: string | null,
): Completed {
  return { EventType: type, TaskScheduledId: scheduledId, Result: result, ...common(-1) };
}

export function failed(
  type: Failed["EventType"],
  scheduledId: number,
  reason: string,
  details: string,
): Failed {
  const event = {
    EventType: type,
    TaskScheduledId: scheduledId,
    Reason: reason,
    Details: details,
    FailureDetails: null,
    ...common(-1),
  };
  return event;
}

export function timerFired(timerId: number, fireAt: string): TimerFired {
  return { EventType: EventType.TimerFired, TimerId: timerId, FireAt: fireAt, ...common(-1) };
}

export function eventRaised(name: string, input: string | null): EventRaised {
  const event = {
    EventType: EventType.EventRaised,
    Name: name,
    Input: input,
    ParentTraceContext: null,
    ...common(-1),
  };
  return event;
}

export function control(type: Control["EventType"], reason: string | null): Control {
  return { EventType: type, Input: reason, ...common(-1) };
}

export function executionCompleted(status: number, result: string | null): ExecutionCompleted {
  const event = {
    EventType: EventType.ExecutionCompleted,
    OrchestrationStatus: status,
    Result: result,
    FailureDetails: null,
    ...common(-1),
  };
  return event;
}

function common(id: number, at = timestamp()): Common {
  return { EventId: id, IsPlayed: false, Timestamp: at };
}
