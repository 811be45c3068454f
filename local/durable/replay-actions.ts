/**
 * Follows an orchestrator's actions through its history, as the Durable extension does, to find those not scheduled
 * yet. Actions are awaited one after another; a `Task.all` waits for all its children, even if one has failed. Ids
 * are assigned in the order of scheduling, which is how durable-functions counts them.
 */
import { type Action, ActionType, type RetryOptions } from "./actions.ts";
import { checkedAction } from "./checked-action.ts";
import { ExternalEvents } from "./external-events.ts";
import {
  type EventRaised,
  EventType,
  type Failed,
  type HistoryEvent,
  type ScheduledEvent,
} from "./history-event.ts";
import { subOrchestrationCreated, taskScheduled, timerCreated } from "./new-event.ts";
import { advance } from "./orchestrator-clock.ts";
import { ReplayError, changedMessage, nameOf, unsupportedMessage } from "./replay-error.ts";
import { retryDelay } from "./retry-delay.ts";

/** Work that is not in the history yet. */
export interface Scheduled {
  event: ScheduledEvent;
  /** JSON text; null for none. Timers have none. */
  input: string | null;
  version: string | null;
  /** For a retry's timer the id of the attempt that failed; for its next attempt the id of the timer. */
  causedBy?: number;
  /** Set if the retry's time-out has passed: the attempt is not run and fails like this. */
  failAtOnce?: Failed;
}

interface Replay {
  scheduled: Scheduled[];
  /** All actions are done: the orchestrator's output, error or continue-as-new counts now. */
  finished: boolean;
  /** The next execution's input, as JSON text, if the orchestrator continues as new. */
  continueAsNew: { input: string | null } | undefined;
  /** External events that nothing waited for. */
  unread: EventRaised[];
}

export interface ReplayRules {
  executionId: string;
  instanceId: string;
  parentInstanceId: string | null;
  /** Longer timers are split (milliseconds). */
  maximumTimer: number;
  timerInterval: number;
  /** Throws ReplayError if there is no such function. */
  checkFunction(kind: "activity" | "orchestrator", name: string): void;
}

/** A further attempt of a retried call. */
interface Again {
  causedBy: number;
  failAtOnce?: Failed;
}

type Outcome = Failed | undefined;
type Done = (outcome?: Outcome) => void;

export function replayActions(events: Iterable<HistoryEvent>, actions: Action[], rules: ReplayRules): Replay {
  return new ActionReplay(events, actions, rules).run();
}

class ActionReplay {
  readonly #events: HistoryEvent[];
  readonly #actions: Action[];
  readonly #rules: ReplayRules;
  readonly #inHistory = new Map<number, ScheduledEvent>();
  readonly #open = new Map<number, (event: HistoryEvent) => void>();
  readonly #early = new Map<number, HistoryEvent>();
  readonly #external = new ExternalEvents();
  readonly #replay: Replay = { scheduled: [], finished: false, continueAsNew: undefined, unread: [] };
  #nextId = 0;
  #now = 0;

  constructor(events: Iterable<HistoryEvent>, actions: Action[], rules: ReplayRules) {
    this.#events = [...events];
    this.#actions = actions;
    this.#rules = rules;
    for (const event of this.#events) {
      if (isScheduled(event)) this.#inHistory.set(event.EventId, event);
    }
  }

  run(): Replay {
    for (const event of this.#events) this.#process(event);
    this.#replay.unread = this.#external.unread;
    return this.#replay;
  }

  #process(event: HistoryEvent): void {
    this.#now = advance(this.#now, event);
    if (event.EventType === EventType.ExecutionStarted) this.#step(0);
    else if (event.EventType === EventType.TimerFired) this.#settle(event.TimerId, event);
    else if (event.EventType === EventType.EventRaised) this.#external.raise(event);
    else if ("TaskScheduledId" in event) this.#settle(event.TaskScheduledId, event);
  }

  #settle(id: number, event: HistoryEvent): void {
    const settle = this.#open.get(id);
    this.#open.delete(id);
    if (settle) settle(event);
    else this.#early.set(id, event);
  }

  #step(index: number): void {
    const action = this.#actions[index];
    if (index >= this.#actions.length) this.#replay.finished = true;
    else this.#schedule(action, () => this.#step(index + 1));
  }

  #schedule(given: Action | undefined, done: Done): void {
    const action = checkedAction(given);
    switch (action.actionType) {
      case ActionType.CallActivity:
        this.#callActivity(action, undefined, done);
        break;
      case ActionType.CallActivityWithRetry:
        this.#retry(action, (again, end) => this.#callActivity(action, again, end), done);
        break;
      case ActionType.CallSubOrchestrator:
        this.#callSubOrchestrator(action, undefined, done);
        break;
      case ActionType.CallSubOrchestratorWithRetry:
        this.#retry(action, (again, end) => this.#callSubOrchestrator(action, again, end), done);
        break;
      case ActionType.ContinueAsNew:
        this.#replay.continueAsNew = { input: jsonText(action.input) };
        done();
        break;
      case ActionType.CreateTimer:
        this.#createTimer(Date.parse(action.fireAt ?? ""), action.isCanceled === true, done);
        break;
      case ActionType.WaitForExternalEvent:
        this.#external.wait(action.externalEventName ?? "", done);
        break;
      case ActionType.WhenAll:
        this.#whenAll(action.compoundActions ?? [], done);
        break;
      case ActionType.WhenAny:
        this.#whenAny(action.compoundActions ?? [], done);
        break;
      default:
        throw new ReplayError(unsupportedMessage(action.actionType));
    }
  }

  #whenAll(children: Action[], done: Done): void {
    let left = children.length;
    if (left === 0) done();
    const childDone = () => {
      left -= 1;
      if (left === 0) done();
    };
    for (const child of children) this.#schedule(child, childDone);
  }

  #whenAny(children: Action[], done: Done): void {
    if (children.length === 0)
      throw new ReplayError("Task.any was given no tasks: nothing would ever end it.");
    let ended = false;
    let scheduling = true;
    const childDone = () => {
      if (ended) return;
      ended = true;
      // All the children are scheduled before anything that comes after the first of them.
      if (!scheduling) done();
    };
    for (const child of children) this.#schedule(child, childDone);
    scheduling = false;
    if (ended) done();
  }

  #callActivity(action: Action, again: Again | undefined, done: Done): void {
    const name = action.functionName ?? "";
    this.#rules.checkFunction("activity", name);
    this.#allocate(
      (id) => ({
        event: taskScheduled(id, name),
        input: jsonText(action.input),
        version: null,
        ...attempt(again, id),
      }),
      (event) => done(outcomeOf(event)),
    );
  }

  #callSubOrchestrator(action: Action, again: Again | undefined, done: Done): void {
    const name = action.functionName ?? "";
    this.#rules.checkFunction("orchestrator", name);
    const asked = action.instanceId;
    if (asked && [this.#rules.instanceId, this.#rules.parentInstanceId].includes(asked)) {
      throw new ReplayError(
        "The instance ID of a sub-orchestration must be different than the instance ID of a parent orchestration.",
      );
    }
    const input = jsonText(action.input);
    this.#allocate(
      (id) => {
        const instanceId = asked || `${this.#rules.executionId}:${id}`;
        const event = subOrchestrationCreated(id, name, instanceId, input);
        return { event, input, version: action.version ?? null, ...attempt(again, id) };
      },
      (event) => done(outcomeOf(event)),
    );
  }

  /** After every failed attempt, even the last, a timer is awaited: durable-functions counts on it. */
  #retry(action: Action, call: (again: Again | undefined, done: Done) => void, done: Done): void {
    const options: RetryOptions = action.retryOptions ?? {
      firstRetryIntervalInMilliseconds: 1,
      maxNumberOfAttempts: 1,
    };
    const firstAttempt = this.#now;
    let attempt = 0;
    const failedOnce = (outcome?: Outcome): void => {
      if (outcome === undefined) {
        done();
        return;
      }
      const delay = retryDelay(options, attempt, firstAttempt, this.#now);
      attempt += 1;
      const goOn = attempt < options.maxNumberOfAttempts;
      const fireAt = new Date(this.#now + (delay ?? 0)).toISOString();
      const failAtOnce = delay === undefined ? { failAtOnce: outcome } : {};
      let timerId = -1;
      this.#allocate(
        (id) => {
          timerId = id;
          return { ...timer(id, fireAt), causedBy: outcome.TaskScheduledId };
        },
        () => (goOn ? call({ causedBy: timerId, ...failAtOnce }, failedOnce) : done(outcome)),
      );
    };
    call(undefined, failedOnce);
  }

  #createTimer(fireAt: number, cancelled: boolean, done: Done): void {
    const wait = fireAt - this.#now;
    const long = wait > this.#rules.maximumTimer;
    const next = (): void => {
      const left = fireAt - this.#now;
      const at = long && left > this.#rules.timerInterval ? this.#now + this.#rules.timerInterval : fireAt;
      this.#allocate(
        (id) => timer(id, new Date(at).toISOString()),
        () => (long && this.#now < fireAt ? next() : done()),
      );
    };
    next();
    if (cancelled) done();
  }

  /** Assigns the next id. What the history already has under that id must be the same thing. */
  #allocate(make: (id: number) => Scheduled, settled: (event: HistoryEvent) => void): void {
    const id = this.#nextId;
    this.#nextId += 1;
    const scheduled = make(id);
    const before = this.#inHistory.get(id);
    if (before === undefined) this.#replay.scheduled.push(scheduled);
    else if (nameOf(before) !== nameOf(scheduled.event))
      throw new ReplayError(changedMessage(before, scheduled.event));
    const early = this.#early.get(id);
    this.#early.delete(id);
    if (early) settled(early);
    else this.#open.set(id, settled);
  }
}

function timer(id: number, fireAt: string): Scheduled {
  return { event: timerCreated(id, fireAt), input: null, version: null };
}

function attempt(again: Again | undefined, id: number): Partial<Again> {
  return again?.failAtOnce
    ? { ...again, failAtOnce: { ...again.failAtOnce, TaskScheduledId: id } }
    : { ...again };
}

function outcomeOf(event: HistoryEvent): Outcome {
  return event.EventType === EventType.TaskFailed ||
    event.EventType === EventType.SubOrchestrationInstanceFailed
    ? event
    : undefined;
}

function jsonText(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}

function isScheduled(event: HistoryEvent): event is ScheduledEvent {
  return (
    event.EventType === EventType.TaskScheduled ||
    event.EventType === EventType.SubOrchestrationInstanceCreated ||
    event.EventType === EventType.TimerCreated
  );
}
