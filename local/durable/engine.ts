/**
 * The durable engine. Messages for an instance (a start, results, fired timers, events) gather in its inbox;
 * a turn takes all of them, replays the orchestrator, and commits in one transaction what it decided: history,
 * tasks, timers, messages to others, status. A host that is killed between two commits goes on from the first.
 */
import {
  EventType,
  control,
  executionCompleted,
  executionStarted,
  failed,
  turnMark,
} from "./history-event.ts";
import type { EventRaised, HistoryEvent, ParentInstance } from "./history-event.ts";
import { completed, timerFired } from "./history-event.ts";
import { decideTurn } from "./decide-turn.ts";
import type { Decision } from "./decide-turn.ts";
import { Inbox } from "./inbox.ts";
import { LiveInstances } from "./live-instances.ts";
import type { LiveInstance } from "./live-instances.ts";
import { TurnQueue } from "./turn-queue.ts";
import { TimerQueue } from "./timer-queue.ts";
import { Status, isFinal, statusName } from "./status.ts";
import type { InstanceRow, Message, Store, Task, Timer } from "./store.ts";
import { MAXIMUM_TIMER, TIMER_INTERVAL, triggerPayload } from "./trigger-payload.ts";
import type { OrchestratorTurn } from "./orchestration-request.ts";
import type { Scheduled } from "./replay-actions.ts";
import type { InvocationResult } from "../worker/messages.ts";
import type { Logger } from "../log/logger.ts";

/** What the engine asks of the rest of the host. */
export interface EngineHost {
  /** Runs one turn of an orchestrator function that the app has. */
  invokeOrchestrator(name: string, turn: OrchestratorTurn): Promise<InvocationResult>;
  /** Throws ReplayError when the app has no such function. */
  checkFunction(kind: "activity" | "orchestrator", name: string): void;
  /** Tasks to be run, each at least once; `taskDone` follows. */
  queueTasks(tasks: Task[]): void;
  /** The state cannot be written: the host must end. */
  fatal(error: unknown): void;
}

export class Engine {
  readonly store: Store;
  readonly #host: EngineHost;
  readonly #log: Logger;
  readonly #inbox = new Inbox();
  readonly #live: LiveInstances;
  readonly #turns: TurnQueue;
  readonly #timers: TimerQueue;
  readonly #openTasks = new Map<string, number>();
  #results: { task: Task; event: HistoryEvent }[] = [];

  constructor(store: Store, host: EngineHost, log: Logger, maxConcurrentTurns: number) {
    this.store = store;
    this.#host = host;
    this.#log = log;
    this.#live = new LiveInstances(store);
    this.#turns = new TurnQueue(maxConcurrentTurns, (id) => this.#guarded(() => this.#turn(id)));
    this.#timers = new TimerQueue((due) => this.#attempt(() => this.#fire(due)));
  }

  /** Takes up what the last host left: messages, timers and tasks. */
  resume(): void {
    for (const message of this.store.messages()) {
      this.#inbox.add(message);
      this.#turns.wake(message.instanceId);
    }
    for (const timer of this.store.timers()) this.#timers.add(timer);
    this.#queue(this.store.tasks());
  }

  /** No new turn begins; resolves when those under way have ended. */
  async stop(): Promise<void> {
    this.#timers.stop();
    await this.#turns.stop();
    this.#commitResults();
  }

  /** Makes an instance and its first message; replaces a finished one of the same id. In the caller's transaction. */
  create(start: {
    instanceId: string;
    executionId: string;
    name: string;
    version: string | null;
    input: string | null;
    parent: ParentInstance | null;
  }): void {
    const now = Date.now();
    this.store.transaction(() => {
      this.#reset(start.instanceId);
      this.store.saveInstance({
        id: start.instanceId,
        executionId: start.executionId,
        name: start.name,
        status: Status.Pending,
        input: start.input,
        output: null,
        customStatus: null,
        version: start.version,
        parent: start.parent,
        created: now,
        updated: now,
      });
      const event = executionStarted({ ...start, generation: start.parent ? null : 0 });
      this.send(start.instanceId, start.executionId, event);
    });
  }

  /** Adds a message to an instance's inbox. */
  send(instanceId: string, executionId: string | null, event: HistoryEvent): void {
    this.#inbox.add(this.store.addMessage({ instanceId, executionId, event }));
    this.#turns.wake(instanceId);
  }

  /** Takes a task's outcome; outcomes that come close together are committed together. */
  taskDone(task: Task, event: HistoryEvent): void {
    this.#results.push({ task, event });
    if (this.#results.length === 1) setImmediate(() => this.#attempt(() => this.#commitResults()));
  }

  /** Forgets everything about an instance. */
  purge(instanceId: string): void {
    this.store.transaction(() => this.store.purge(instanceId));
    this.#live.forget(instanceId);
    this.#inbox.clear(instanceId);
  }

  /** Replaces an instance's row and history; rewind uses it. In the caller's transaction. */
  rewrite(row: InstanceRow, history: { event: HistoryEvent; causedBy: number | null }[]): void {
    this.#reset(row.id);
    this.store.clearTasks(row.id);
    this.store.saveInstance(row);
    history.forEach(({ event, causedBy }, seq) =>
      this.store.appendHistory(row.id, seq, JSON.stringify(event), causedBy),
    );
  }

  #reset(instanceId: string): void {
    this.store.clearExecution(instanceId);
    this.#live.forget(instanceId);
    this.#inbox.clear(instanceId);
  }

  #commitResults(): void {
    const results = this.#results;
    this.#results = [];
    if (results.length === 0) return;
    this.store.transaction(() => {
      for (const { task, event } of results) {
        this.#countTask(task.instanceId, -1);
        if (this.store.removeTask(task.id)) this.send(task.instanceId, task.executionId, event);
      }
    });
  }

  #fire(due: Timer[]): void {
    this.store.transaction(() => {
      for (const timer of due) {
        if (!this.store.removeTimer(timer.id)) continue;
        this.send(timer.instanceId, timer.executionId, timerFired(timer.eventId, timer.fireAt));
      }
    });
  }

  async #turn(id: string): Promise<void> {
    const live = this.#live.get(id);
    if (!live || isFinal(live.row.status)) {
      this.#drop(id);
      return;
    }
    const batch = this.#inbox.nextBatch(id, live.row.status === Status.Suspended);
    switch (batch.kind) {
      case "events":
        await this.#eventsTurn(live, batch.messages);
        break;
      case "terminate":
        this.#terminate(live, batch.messages);
        break;
      case "suspend":
        this.#mark(live, batch.messages, Status.Suspended);
        break;
      case "resume":
        this.#mark(live, batch.messages, Status.Running);
        break;
      case "none":
        return;
    }
    if (isFinal(live.row.status)) this.#live.forget(id);
    else this.#live.keep(live);
    if (this.#inbox.of(id).length > 0) this.#turns.wake(id);
  }

  async #eventsTurn(live: LiveInstance, messages: Message[]): Promise<void> {
    const { row } = live;
    const mine = messages.filter(
      ({ executionId }) => executionId === null || executionId === row.executionId,
    );
    if (mine.length === 0) {
      this.#commit(messages, () => undefined);
      return;
    }
    const isReplaying = live.events.length > 0;
    // A start comes first, whatever else has come before the first turn.
    const events = mine.map(({ event }) => event).sort((a, b) => rank(a) - rank(b));
    const fresh: HistoryEvent[] = [turnMark(EventType.OrchestratorStarted), ...events];
    if (!isReplaying && row.status === Status.Running) fresh.push(turnMark(EventType.OrchestratorCompleted));
    const payload = triggerPayload({
      past: live.texts,
      fresh,
      input: row.input,
      instanceId: row.id,
      parentInstanceId: row.parent?.OrchestrationInstance.InstanceId ?? null,
      isReplaying,
    });
    const result = await this.#invoke(row, payload, isReplaying);
    const decision = decideTurn(row.name, result, [...live.events, ...fresh], {
      executionId: row.executionId,
      instanceId: row.id,
      parentInstanceId: row.parent?.OrchestrationInstance.InstanceId ?? null,
      maximumTimer: MAXIMUM_TIMER.milliseconds,
      timerInterval: TIMER_INTERVAL.milliseconds,
      checkFunction: (kind, name) => this.#host.checkFunction(kind, name),
    });
    const queued: Task[] = [];
    this.#commit(messages, () => this.#apply(live, fresh, decision, queued));
    this.#queue(queued);
    this.#log.debug(
      `turn of '${row.name}' (${row.id}): ${events.length} new events, ${decision.scheduled.length} scheduled, ${decision.ending.kind}`,
    );
  }

  #invoke(row: InstanceRow, payload: string, isReplaying: boolean): Promise<InvocationResult> {
    try {
      this.#host.checkFunction("orchestrator", row.name);
    } catch (error) {
      return Promise.resolve({
        status: "failure",
        exception: { message: (error as Error).message, stack: "" },
      });
    }
    return this.#host.invokeOrchestrator(row.name, {
      instanceId: row.id,
      payload,
      input: row.input,
      isReplaying,
    });
  }

  #apply(live: LiveInstance, fresh: HistoryEvent[], decision: Decision, queued: Task[]): void {
    const { row } = live;
    const { ending } = decision;
    row.updated = Date.now();
    if (row.status === Status.Pending) row.status = Status.Running;
    if (decision.customStatus !== undefined) row.customStatus = decision.customStatus;
    for (const event of fresh) this.#append(live, event);
    for (const scheduled of decision.scheduled) this.#schedule(live, scheduled, queued);
    if (ending.kind === "continued") {
      this.#continueAsNew(live, ending.input, ending.unread);
      return;
    }
    if (ending.kind === "completed") this.#end(live, Status.Completed, ending.output, "");
    if (ending.kind === "failed") this.#end(live, Status.Failed, ending.reason, ending.details);
    this.#append(live, turnMark(EventType.OrchestratorCompleted));
    this.store.saveInstance(row);
  }

  #schedule(live: LiveInstance, scheduled: Scheduled, queued: Task[]): void {
    const { event, input } = scheduled;
    const { row } = live;
    const of = { instanceId: row.id, executionId: row.executionId, eventId: event.EventId };
    this.#append(live, event, scheduled.causedBy);
    if (scheduled.failAtOnce) this.send(row.id, row.executionId, scheduled.failAtOnce);
    else if (event.EventType === EventType.TaskScheduled)
      queued.push(this.store.addTask({ ...of, name: event.Name, input }));
    else if (event.EventType === EventType.TimerCreated)
      this.#timers.add(this.store.addTimer({ ...of, fireAt: event.FireAt }));
    else this.#startChild(row, event.EventId, event.Name, event.InstanceId, input, scheduled.version);
  }

  #startChild(
    parent: InstanceRow,
    eventId: number,
    name: string,
    instanceId: string,
    input: string | null,
    version: string | null,
  ): void {
    const existing = this.store.instance(instanceId);
    if (existing && !isFinal(existing.status)) {
      const reason = `An Orchestration instance with the status ${statusName(existing.status)} already exists.`;
      this.send(
        parent.id,
        parent.executionId,
        failed(EventType.SubOrchestrationInstanceFailed, eventId, reason, ""),
      );
      return;
    }
    this.create({
      instanceId,
      executionId: newExecutionId(),
      name,
      version,
      input,
      parent: {
        Name: parent.name,
        OrchestrationInstance: { InstanceId: parent.id, ExecutionId: parent.executionId },
        TaskScheduleId: eventId,
        Version: null,
      },
    });
  }

  /** The history starts anew; events that nobody has read come along. */
  #continueAsNew(live: LiveInstance, input: string | null, unread: EventRaised[]): void {
    const { row } = live;
    const carried = this.#inbox.of(row.id).filter(({ executionId }) => executionId === null);
    this.#reset(row.id);
    row.executionId = newExecutionId();
    row.input = input;
    row.status = Status.Running;
    this.store.saveInstance(row);
    const start = { instanceId: row.id, executionId: row.executionId, parent: row.parent, name: row.name };
    this.send(
      row.id,
      row.executionId,
      executionStarted({ ...start, version: row.version, input, generation: null }),
    );
    for (const event of unread) this.send(row.id, null, event);
    for (const { event } of carried) this.send(row.id, null, event);
    live.events.length = 0;
    live.texts.length = 0;
    live.characters = 0;
  }

  #terminate(live: LiveInstance, messages: Message[]): void {
    const request = messages.find(({ event }) => event.EventType === EventType.ExecutionTerminated);
    const reason = request?.event.EventType === EventType.ExecutionTerminated ? request.event.Input : null;
    this.#commit(messages, () => {
      this.#append(live, turnMark(EventType.OrchestratorStarted));
      this.#append(live, control(EventType.ExecutionTerminated, reason));
      this.#end(live, Status.Terminated, reason, "");
      this.#append(live, turnMark(EventType.OrchestratorCompleted));
      live.row.updated = Date.now();
      this.store.saveInstance(live.row);
    });
  }

  #mark(live: LiveInstance, messages: Message[], status: Status): void {
    this.#commit(messages, () => {
      this.#append(live, turnMark(EventType.OrchestratorStarted));
      for (const { event } of messages) this.#append(live, event);
      this.#append(live, turnMark(EventType.OrchestratorCompleted));
      live.row.status = status;
      live.row.updated = Date.now();
      this.store.saveInstance(live.row);
    });
  }

  #end(live: LiveInstance, status: Status, output: string | null, details: string): void {
    const { row } = live;
    row.status = status;
    row.output = output;
    this.#append(live, executionCompleted(status, output));
    this.store.clearMessages(row.id);
    this.#inbox.clear(row.id);
    this.#log.info(
      `'${row.name}' ${statusName(status)} (${row.id})${status === Status.Failed ? `: ${firstLine(output)}` : ""}`,
    );
    if (!row.parent) return;
    const { OrchestrationInstance: parent, TaskScheduleId: id } = row.parent;
    const event =
      status === Status.Completed
        ? completed(EventType.SubOrchestrationInstanceCompleted, id, output)
        : failed(EventType.SubOrchestrationInstanceFailed, id, output ?? "", details);
    this.send(parent.InstanceId, parent.ExecutionId, event);
  }

  #append(live: LiveInstance, event: HistoryEvent, causedBy?: number): void {
    const seq = live.events.length;
    this.store.appendHistory(live.row.id, seq, live.append(event), causedBy ?? null);
  }

  /** One transaction: the messages are taken, and what follows from them is written. */
  #commit(messages: Message[], write: () => void): void {
    this.store.transaction(() => {
      for (const message of messages) this.store.removeMessage(message.id);
      if (messages[0]) this.#inbox.remove(messages[0].instanceId, messages);
      write();
    });
  }

  #drop(id: string): void {
    const messages = [...this.#inbox.of(id)];
    if (messages.length > 0) this.#commit(messages, () => undefined);
  }

  #queue(tasks: Task[]): void {
    if (tasks.length === 0) return;
    for (const task of tasks) this.#countTask(task.instanceId, 1);
    this.#host.queueTasks(tasks);
  }

  #countTask(instanceId: string, change: number): void {
    const count = (this.#openTasks.get(instanceId) ?? 0) + change;
    if (count > 0) this.#openTasks.set(instanceId, count);
    else this.#openTasks.delete(instanceId);
    this.#turns.setBusy(instanceId, count > 0);
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#host.fatal(error);
    }
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#host.fatal(error);
    }
  }
}

/** As DurableTask.Core's for executions that no client started: 32 hexadecimal characters. */
function newExecutionId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

function rank(event: HistoryEvent): number {
  return event.EventType === EventType.ExecutionStarted ? 0 : 1;
}

function firstLine(text: string | null): string {
  return (text ?? "").split("\n", 1)[0] ?? "";
}
