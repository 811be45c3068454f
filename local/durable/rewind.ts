/**
 * Rewinds a failed orchestration: what failed or was still open is removed from its history, so that the next turn
 * schedules it again; what completed stays. Failed sub-orchestrations are rewound in place. If a retried call had
 * used up its attempts, the timer after the last one is removed too, and later ids move down, as durable-functions
 * counts them on replay.
 */
import { EventType, type HistoryEvent } from "./history-event.ts";
import { control } from "./new-event.ts";
import type { Engine } from "./engine.ts";
import { Status } from "./status.ts";
import type { HistoryRow } from "./rows.ts";

export function rewindInstance(engine: Engine, id: string, reason: string): void {
  engine.store.transaction(() => rewind(engine, id, reason, (taskId) => taskId));
}

function rewind(
  engine: Engine,
  id: string,
  reason: string,
  renumberParent: (taskId: number) => number,
): void {
  const row = engine.store.instance(id);
  if (!row || row.status !== Status.Failed) return;
  const before = engine.store.history(id);
  const { kept, failedChildren, renumber } = withoutFailures(
    before,
    (child) => engine.store.instance(child)?.status === Status.Failed,
  );
  const parent = row.parent && { ...row.parent, TaskScheduleId: renumberParent(row.parent.TaskScheduleId) };
  engine.rewrite({ ...row, parent, status: Status.Running, output: null, updated: Date.now() }, kept);
  for (const child of failedChildren) rewind(engine, child, reason, renumber);
  engine.send(id, row.executionId, control(EventType.GenericEvent, `Rewound: ${reason}`));
}

interface Rewound {
  kept: HistoryRow[];
  failedChildren: string[];
  /** The new id of what had this id. */
  renumber: (id: number) => number;
}

function withoutFailures(rows: HistoryRow[], isFailed: (childId: string) => boolean): Rewound {
  const ends = new Map(
    rows.flatMap(({ event }) => (endOf(event) === undefined ? [] : [[endOf(event), event] as const])),
  );
  const attempted = new Set(rows.map(({ causedBy }) => causedBy));
  const retryTimers = rows.filter(
    ({ event, causedBy }) => event.EventType === EventType.TimerCreated && causedBy !== null,
  );
  const lastTimers = new Set(
    retryTimers.filter(({ event }) => !attempted.has(event.EventId)).map(({ event }) => event.EventId),
  );
  const retried = new Set(
    retryTimers.filter(({ event }) => !lastTimers.has(event.EventId)).map(({ causedBy }) => causedBy),
  );
  const failedForGood = (end: HistoryEvent | undefined) =>
    end !== undefined && isFailure(end) && !retried.has(end.TaskScheduledId);
  const failedChildren: string[] = [];
  const keep = ({ event }: HistoryRow): boolean => {
    if (event.EventType === EventType.ExecutionCompleted || failedForGood(event)) return false;
    if (event.EventType === EventType.TimerFired) return !lastTimers.has(event.TimerId);
    if (!isScheduling(event)) return true;
    const end = ends.get(event.EventId);
    if (event.EventType === EventType.SubOrchestrationInstanceCreated) {
      // A child that is still running continues; one that failed is rewound itself.
      if (failedForGood(end) && isFailed(event.InstanceId)) failedChildren.push(event.InstanceId);
      else return !failedForGood(end);
      return true;
    }
    return end !== undefined && !failedForGood(end) && !lastTimers.has(event.EventId);
  };
  const renumber = (id: number) => id - [...lastTimers].filter((timer) => timer < id).length;
  const kept = rows.filter(keep).map(({ event, causedBy }) => ({
    event: renumbered(event, renumber),
    causedBy: causedBy === null ? null : renumber(causedBy),
  }));
  return { kept, failedChildren, renumber };
}

/** The id of what this event is the end of. */
function endOf(event: HistoryEvent): number | undefined {
  if ("TaskScheduledId" in event) return event.TaskScheduledId;
  return event.EventType === EventType.TimerFired ? event.TimerId : undefined;
}

function isFailure(event: HistoryEvent): event is Extract<HistoryEvent, { Reason: string }> {
  return (
    event.EventType === EventType.TaskFailed || event.EventType === EventType.SubOrchestrationInstanceFailed
  );
}

function isScheduling(event: HistoryEvent): event is Extract<HistoryEvent, { EventType: 4 | 7 | 10 }> {
  return (
    event.EventType === EventType.TaskScheduled ||
    event.EventType === EventType.SubOrchestrationInstanceCreated ||
    event.EventType === EventType.TimerCreated
  );
}

function renumbered(event: HistoryEvent, renumber: (id: number) => number): HistoryEvent {
  if ("TaskScheduledId" in event) return { ...event, TaskScheduledId: renumber(event.TaskScheduledId) };
  if (event.EventType === EventType.TimerFired) return { ...event, TimerId: renumber(event.TimerId) };
  return event.EventId >= 0 ? { ...event, EventId: renumber(event.EventId) } : event;
}
