/** Writes what a turn decided: history, tasks, timers, sub-orchestrations, the status, the message to the parent. */
import {
  type EventRaised,
  EventType,
  type HistoryEvent,
  type SubOrchestrationCreated,
} from "./history-event.ts";
import { completed, executionCompleted, executionStarted, failed, turnMark } from "./new-event.ts";
import type { Decision } from "./decide-turn.ts";
import type { LiveInstance } from "./live-instances.ts";
import type { Scheduled } from "./replay-actions.ts";
import { recordOrchestration } from "./orchestration-span.ts";
import { Status, isFinal, statusName } from "./status.ts";
import { asParent, beginTrace, traceOf } from "./trace-context.ts";
import type { Task } from "./rows.ts";
import type { TurnParts } from "./turn-parts.ts";

/** Call all methods within the caller's transaction. */
export class DecisionWriter {
  readonly #parts: TurnParts;

  constructor(parts: TurnParts) {
    this.#parts = parts;
  }

  /** Returns the tasks to queue once the transaction is committed. */
  apply(live: LiveInstance, fresh: HistoryEvent[], decision: Decision): Task[] {
    const { row } = live;
    const { ending } = decision;
    const queued: Task[] = [];
    if (decision.customStatus !== undefined) row.customStatus = decision.customStatus;
    for (const event of fresh) this.#append(live, event);
    for (const scheduled of decision.scheduled) this.#schedule(live, scheduled, queued);
    if (ending.kind === "continued") this.#continueAsNew(live, ending.input, ending.unread);
    else if (ending.kind === "completed") this.end(live, [], Status.Completed, ending.output, "");
    else if (ending.kind === "failed") this.end(live, [], Status.Failed, ending.reason, ending.details);
    else this.mark(live, [], Status.Running);
    return queued;
  }

  /** Closes a turn after which the instance is in this status. */
  mark(live: LiveInstance, events: HistoryEvent[], status: Status): void {
    for (const event of events) this.#append(live, event);
    this.#append(live, turnMark(EventType.OrchestratorCompleted));
    live.row.status = status;
    live.row.updated = Date.now();
    this.#parts.store.saveInstance(live.row);
  }

  /** Ends the instance and tells its parent. `output` is JSON text, or plain text if it did not complete. */
  end(
    live: LiveInstance,
    events: HistoryEvent[],
    status: Status,
    output: string | null,
    details: string,
  ): void {
    const { row } = live;
    const { store, inbox, log, send } = this.#parts;
    row.output = output;
    this.mark(live, [...events, executionCompleted(status, output)], status);
    store.clearMessages(row.id);
    inbox.clear(row.id);
    const trace = traceOf(live.events);
    if (trace) recordOrchestration(row, trace);
    const why = status === Status.Failed ? `: ${(output ?? "").split("\n", 1)[0]}` : "";
    log.info(`'${row.name}' ${statusName(status)} (${row.id})${why}`);
    if (!row.parent) return;
    const { OrchestrationInstance: parent, TaskScheduleId: id } = row.parent;
    const event =
      status === Status.Completed
        ? completed(EventType.SubOrchestrationInstanceCompleted, id, output)
        : failed(EventType.SubOrchestrationInstanceFailed, id, output ?? "", details);
    send(parent.InstanceId, parent.ExecutionId, event);
  }

  #schedule(live: LiveInstance, scheduled: Scheduled, queued: Task[]): void {
    const { store, addTimer, send } = this.#parts;
    const { event, input } = scheduled;
    const { id: instanceId, executionId } = live.row;
    const of = { instanceId, executionId, eventId: event.EventId };
    this.#append(live, event, scheduled.causedBy);
    if (scheduled.failAtOnce) send(instanceId, executionId, scheduled.failAtOnce);
    else if (event.EventType === EventType.TaskScheduled) {
      const task = store.addTask({ ...of, name: event.Name, input });
      queued.push({ ...task, trace: asParent(traceOf(live.events)) });
    } else if (event.EventType === EventType.TimerCreated) {
      const timer = store.addTimer({ ...of, fireAt: event.FireAt });
      addTimer({ ...timer, wait: Date.parse(event.FireAt) - live.now });
    } else this.#startChild(live, event, input, scheduled.version);
  }

  #startChild(
    { row: parent, events }: LiveInstance,
    event: SubOrchestrationCreated,
    input: string | null,
    version: string | null,
  ): void {
    const { store, send, create } = this.#parts;
    const { EventId: id, InstanceId: instanceId, Name: name } = event;
    const existing = store.instance(instanceId);
    if (existing && !isFinal(existing.status)) {
      const reason = `An Orchestration instance with the status ${statusName(existing.status)} already exists.`;
      send(parent.id, parent.executionId, failed(EventType.SubOrchestrationInstanceFailed, id, reason, ""));
      return;
    }
    const from = {
      Name: parent.name,
      OrchestrationInstance: { InstanceId: parent.id, ExecutionId: parent.executionId },
      TaskScheduleId: id,
      Version: null,
    };
    const trace = beginTrace(asParent(traceOf(events)));
    create({ instanceId, executionId: newExecutionId(), name, version, input, parent: from, trace });
  }

  /** The history starts anew, and unread events are carried over. */
  #continueAsNew(live: LiveInstance, input: string | null, unread: EventRaised[]): void {
    const { store, inbox, reset, send } = this.#parts;
    const { row } = live;
    const trace = traceOf(live.events);
    const waiting = inbox.of(row.id).filter(({ executionId }) => executionId === null);
    reset(row.id);
    live.clear();
    row.executionId = newExecutionId();
    row.input = input;
    row.status = Status.Running;
    row.updated = Date.now();
    store.saveInstance(row);
    const { id: instanceId, executionId, parent, name, version } = row;
    send(
      instanceId,
      executionId,
      executionStarted({ instanceId, executionId, parent, name, version, input, trace, generation: null }),
    );
    for (const event of [...unread, ...waiting.map((message) => message.event)])
      send(instanceId, null, event);
  }

  #append(live: LiveInstance, event: HistoryEvent, causedBy?: number): void {
    const seq = live.events.length;
    this.#parts.store.appendHistory(live.row.id, seq, live.append(event), causedBy ?? null);
  }
}

/** As DurableTask.Core's for executions that no client started: 32 hexadecimal characters. */
function newExecutionId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
