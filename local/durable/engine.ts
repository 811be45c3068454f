/**
 * The durable engine. Messages for an instance (a start, results, fired timers, events) gather in its inbox; a turn
 * (turn.ts) takes all of them, replays the orchestrator, and commits in one transaction what it decided. A host that
 * is killed between two commits resumes after the first.
 */
import { executionStarted, failed, timerFired } from "./new-event.ts";
import { EventType, type HistoryEvent } from "./history-event.ts";
import { Inbox } from "./inbox.ts";
import { LiveInstances } from "./live-instances.ts";
import { timeOf } from "./orchestrator-clock.ts";
import { Status, isFinal } from "./status.ts";
import type { Store } from "./store.ts";
import type { HistoryRow, InstanceRow, Task, Timer } from "./rows.ts";
import { TimerQueue } from "./timer-queue.ts";
import { asParent, traceOf, type TraceParent } from "./trace-context.ts";
import { TurnQueue } from "./turn-queue.ts";
import { TurnTaker } from "./turn.ts";
import type { EngineHost, Start } from "./turn-parts.ts";
import type { Logger } from "../log/logger.ts";

/** How many hosts may end in the middle of an instance's turn before it is set aside. */
const HOSTS_ENDED = 2;
const SET_ASIDE =
  "The local host ended twice in the middle of this orchestration's turn, so it was set aside. " +
  "Fix the orchestrator or its input, then rewind or purge it.";

export class Engine {
  readonly store: Store;
  readonly #host: EngineHost;
  readonly #log: Logger;
  readonly #inbox = new Inbox();
  readonly #live: LiveInstances;
  readonly #turns: TurnQueue;
  readonly #timers: TimerQueue;
  readonly #taker: TurnTaker;
  /** Until then the decisions of turns wait in the store. */
  #resumed = false;
  /** How many tasks of an instance have no result yet. */
  readonly #openTasks = new Map<string, number>();
  #results: { task: Task; event: HistoryEvent }[] = [];

  constructor(store: Store, host: EngineHost, log: Logger, maxConcurrentTurns: number) {
    this.store = store;
    this.#host = host;
    this.#log = log;
    this.#live = new LiveInstances(store);
    this.#timers = new TimerQueue((due) => this.#attempt(() => this.#fire(due)));
    this.#taker = new TurnTaker({
      store,
      host,
      log,
      inbox: this.#inbox,
      live: this.#live,
      create: (start) => this.create(start),
      send: (...message) => this.send(...message),
      reset: (id) => this.#reset(id),
      addTimer: (timer) => {
        if (this.#resumed) this.#timers.add(timer);
      },
      queueTasks: (tasks) => this.#queue(tasks),
    });
    this.#turns = new TurnQueue(maxConcurrentTurns, async (id) => {
      try {
        if (await this.#taker.take(id)) this.#turns.wake(id);
      } catch (error) {
        host.fatal(error);
      }
    });
  }

  /**
   * Resumes what the last host left: messages, timers and tasks. The turns in which it ended come first and alone: if
   * this host ends in them too, they are the cause.
   */
  async resume(): Promise<void> {
    try {
      const suspects = this.#setAside();
      for (const message of this.store.messages()) this.#inbox.add(message);
      for (const id of suspects) await this.#taker.take(id);
      this.#resumed = true;
      for (const { instanceId } of this.store.messages()) this.#turns.wake(instanceId);
      for (const timer of this.store.timers()) this.#timers.add({ ...timer, wait: this.#waitOf(timer) });
      this.#queue(this.store.tasks().map((task) => ({ ...task, trace: this.#parentOf(task) })));
    } catch (error) {
      this.#host.fatal(error);
    }
  }

  /**
   * Fails the instances in whose turns one host after another ended; returns those in whose turns only the last one
   * did.
   */
  #setAside(): string[] {
    const suspects: string[] = [];
    this.store.transaction(() => {
      for (const { id, hosts } of this.store.unendedTurns()) {
        if (hosts < HOSTS_ENDED) {
          suspects.push(id);
          continue;
        }
        this.store.endTurn(id);
        const row = this.store.instance(id);
        if (!row || isFinal(row.status)) continue;
        this.#log.error(`'${row.name}' (${id}): ${SET_ASIDE}`);
        this.store.saveInstance({ ...row, status: Status.Failed, output: SET_ASIDE, updated: Date.now() });
        this.store.clearMessages(id);
        this.store.clearTasks(id);
        if (!row.parent) continue;
        const { OrchestrationInstance: parent, TaskScheduleId: task } = row.parent;
        const event = failed(EventType.SubOrchestrationInstanceFailed, task, SET_ASIDE, "");
        this.store.addMessage({ instanceId: parent.InstanceId, executionId: parent.ExecutionId, event });
      }
    });
    return suspects;
  }

  /** How much is left if the clock was set back meanwhile is unknown: at most all of it. */
  #waitOf({ instanceId, eventId, fireAt }: Timer): number {
    const due = Date.parse(fireAt);
    // Histories are read only for timers that a clock that was set back would hold up.
    if (due <= Date.now()) return 0;
    return due - timeOf(this.#live.get(instanceId)?.events ?? [], eventId);
  }

  #parentOf({ instanceId }: Task): TraceParent | undefined {
    return asParent(traceOf(this.#live.get(instanceId)?.events ?? []));
  }

  /** No new turn begins; resolves when those under way have ended. */
  async stop(): Promise<void> {
    this.#timers.stop();
    await this.#turns.stop();
    this.#commitResults();
  }

  /** Creates an instance and its first message; replaces a finished one with the same id. */
  create(start: Start): void {
    const { instanceId: id, parent, executionId, name, version, input } = start;
    const now = Date.now();
    const row = { id, executionId, name, version, input, parent, output: null, customStatus: null };
    this.store.transaction(() => {
      this.#reset(id);
      this.store.saveInstance({ ...row, status: Status.Pending, created: now, updated: now });
      this.send(id, executionId, executionStarted({ ...start, generation: parent ? null : 0 }));
    });
  }

  /** Adds a message to an instance's inbox. Without an execution id it is for whichever execution is current. */
  send(instanceId: string, executionId: string | null, event: HistoryEvent): void {
    this.#inbox.add(this.store.addMessage({ instanceId, executionId, event }));
    if (this.#resumed) this.#turns.wake(instanceId);
  }

  /** Takes a task's outcome; outcomes that arrive close together are committed together. */
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
  rewrite(row: InstanceRow, history: HistoryRow[]): void {
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

  #queue(tasks: Task[]): void {
    if (!this.#resumed || tasks.length === 0) return;
    for (const task of tasks) this.#countTask(task.instanceId, 1);
    this.#host.queueTasks(tasks);
  }

  #countTask(instanceId: string, change: number): void {
    const count = (this.#openTasks.get(instanceId) ?? 0) + change;
    if (count > 0) this.#openTasks.set(instanceId, count);
    else this.#openTasks.delete(instanceId);
    this.#turns.setBusy(instanceId, count > 0);
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#host.fatal(error);
    }
  }
}
