/**
 * The events of an orchestration's history, with the members, and in the order, in which the real host
 * sends them to the worker (Durable extension 3.14, recorded). Times are ISO 8601 in UTC; inputs and results
 * are JSON as text.
 */

export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventRaised: 15,
  GenericEvent: 17,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
} as const;

const NAMES = new Map<number, string>(Object.entries(EventType).map(([name, value]) => [value, name]));

/** The name of an event type, as the HTTP API shows it. */
export function eventTypeName(type: number): string {
  return NAMES.get(type) ?? String(type);
}

interface Common {
  EventId: number;
  IsPlayed: boolean;
  Timestamp: string;
}

export interface ParentInstance {
  Name: string;
  OrchestrationInstance: { InstanceId: string; ExecutionId: string };
  TaskScheduleId: number;
  Version: null;
}

export interface ExecutionStarted extends Common {
  OrchestrationInstance: { InstanceId: string; ExecutionId: string };
  EventType: 0;
  ParentInstance: ParentInstance | null;
  Name: string;
  Version: string | null;
  Input: string | null;
  Generation: number | null;
}

export interface TaskScheduled extends Common {
  EventType: 4;
  Name: string;
}

export interface SubOrchestrationCreated extends Common {
  EventType: 7;
  Name: string;
  InstanceId: string;
}

export interface TimerCreated extends Common {
  EventType: 10;
  FireAt: string;
}

/** What ends a task or a sub-orchestration. */
export interface Completed extends Common {
  EventType: 5 | 8;
  TaskScheduledId: number;
  Result: string | null;
}

export interface Failed extends Common {
  EventType: 6 | 9;
  TaskScheduledId: number;
  Reason: string;
  Details: string;
}

export interface TimerFired extends Common {
  EventType: 11;
  TimerId: number;
  FireAt: string;
}

export interface EventRaised extends Common {
  EventType: 15;
  Name: string;
  Input: string | null;
}

/** Terminate, suspend, resume and rewind requests, each with its reason. */
export interface Control extends Common {
  EventType: 3 | 17 | 19 | 20;
  Input: string | null;
}

export interface ExecutionCompleted extends Common {
  EventType: 1;
  OrchestrationStatus: number;
  Result: string | null;
}

export interface TurnMark extends Common {
  EventType: 12 | 13;
}

export type ScheduledEvent = TaskScheduled | SubOrchestrationCreated | TimerCreated;
export type HistoryEvent =
  | ExecutionStarted
  | ScheduledEvent
  | Completed
  | Failed
  | TimerFired
  | EventRaised
  | Control
  | ExecutionCompleted
  | TurnMark;

/** The present, as events carry it. */
export function timestamp(): string {
  return new Date().toISOString();
}

export function executionStarted(start: {
  instanceId: string;
  executionId: string;
  parent: ParentInstance | null;
  name: string;
  version: string | null;
  input: string | null;
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
    ParentTraceContext: null,
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

const PLAYED = new Set<number>([
  EventType.ExecutionStarted,
  EventType.TaskCompleted,
  EventType.TaskFailed,
  EventType.SubOrchestrationInstanceCompleted,
  EventType.SubOrchestrationInstanceFailed,
  EventType.TimerFired,
  EventType.EventRaised,
]);

/** The event as later turns see it: what a turn has processed is marked as played; marks and schedulings never are. */
export function played<T extends HistoryEvent>(event: T): T {
  return PLAYED.has(event.EventType) ? { ...event, IsPlayed: true } : event;
}
