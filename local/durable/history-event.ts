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

export interface Common {
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

/** As DurableTask.Core's DistributedTraceContext. */
export interface ParentTraceContext {
  /** W3C traceparent of what started the orchestration. */
  TraceParent: string;
  TraceState: string | null;
  /** W3C traceparent of the orchestration itself. */
  Id: string;
  SpanId: string;
  ActivityStartTime: string;
}

export interface ExecutionStarted extends Common {
  OrchestrationInstance: { InstanceId: string; ExecutionId: string };
  EventType: 0;
  ParentInstance: ParentInstance | null;
  Name: string;
  Version: string | null;
  Input: string | null;
  /** Null if nobody traces. */
  ParentTraceContext: ParentTraceContext | null;
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

/** The end of a task or a sub-orchestration. */
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

const PLAYED = new Set<number>([
  EventType.ExecutionStarted,
  EventType.TaskCompleted,
  EventType.TaskFailed,
  EventType.SubOrchestrationInstanceCompleted,
  EventType.SubOrchestrationInstanceFailed,
  EventType.TimerFired,
  EventType.EventRaised,
]);

/** The event as later turns see it: processed events are marked as played; marks and schedulings never are. */
export function played<T extends HistoryEvent>(event: T): T {
  return PLAYED.has(event.EventType) ? { ...event, IsPlayed: true } : event;
}
