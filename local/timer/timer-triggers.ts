/**
 * Runs timer-triggered functions. When an occurrence passed while no host ran, the function runs once at the next
 * start with `IsPastDue`, however many were missed, as on the real host. A run that takes longer than
 * the interval is not overlapped by the next.
 */
import { durableClientKey, type FunctionMetadata, triggerOf } from "../app/registered-function.ts";
import type { Store } from "../durable/store.ts";
import type { Logger } from "../log/logger.ts";
import { messageOf } from "../start-up-error.ts";
import {
  invocationRequest,
  type InvocationRequest,
  jsonData,
  parameter,
  stringData,
} from "../worker/messages.ts";
import type { Worker } from "../worker/worker.ts";
import { dueOf } from "./due.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";

/** A wait is split, because the clock may be set, or the machine sleep, during it. */
const LONGEST_WAIT = 30_000;
/** A run later than this was missed. */
const PAST_DUE = 60_000;
/** What the real host reports as the last run if there was none. */
const NEVER = "0001-01-01T00:00:00.000Z";

interface TimerTriggersOptions {
  functions: FunctionMetadata[];
  store: Store;
  worker: Worker;
  log: Logger;
  durableClient: string;
}

interface Timer {
  metadata: FunctionMetadata;
  schedule: Schedule;
  runOnStartup: boolean;
}

export class TimerTriggers {
  readonly #options: TimerTriggersOptions;
  readonly #timers: Timer[];
  readonly #waits = new Map<string, NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  /** A function with an invalid schedule is named in the log and never runs; the others do, as on the real host. */
  constructor(options: TimerTriggersOptions) {
    this.#options = options;
    this.#timers = options.functions.flatMap((metadata) => {
      const { binding } = triggerOf(metadata);
      const text = binding["schedule"];
      try {
        const schedule = parseSchedule(typeof text === "string" ? text : "", process.env);
        schedule.next(new Date());
        return [{ metadata, schedule, runOnStartup: binding["runOnStartup"] === true }];
      } catch (error) {
        options.log.error(`The schedule of function '${metadata.name}' is not valid: ${messageOf(error)}.`);
        return [];
      }
    });
  }

  start(): void {
    for (const timer of this.#timers) {
      const now = new Date();
      const due = this.#due(timer, now);
      const missed = due <= now;
      if (missed || timer.runOnStartup) this.#run(timer, missed, now);
      else this.#wait(timer);
    }
  }

  /** Starts no more; resolves when those running have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const wait of this.#waits.values()) clearTimeout(wait);
    await Promise.all(this.#running);
  }

  #wait(timer: Timer): void {
    if (this.#stopped) return;
    const now = new Date();
    const due = this.#due(timer, now);
    const late = now.getTime() - due.getTime();
    if (late >= 0) return this.#run(timer, late > PAST_DUE, due);
    const wait = setTimeout(() => this.#wait(timer), Math.min(LONGEST_WAIT, -late));
    this.#waits.set(timer.metadata.name, wait);
  }

  /** When the timer is due, by the current clock. */
  #due({ metadata, schedule }: Timer, now: Date): Date {
    const state = this.#options.store.schedule(metadata.name);
    const { at, computedFrom } = dueOf(state, schedule, now);
    if (computedFrom) this.#save(metadata.name, NEVER, at, computedFrom);
    return at;
  }

  #run(timer: Timer, isPastDue: boolean, at: Date): void {
    const run = this.#invoke(timer, isPastDue, at).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #invoke(timer: Timer, isPastDue: boolean, at: Date): Promise<void> {
    const { metadata, schedule } = timer;
    const { store, worker, log, durableClient } = this.#options;
    const known = store.schedule(metadata.name);
    const started = new Date();
    const status = {
      Last: offset(known?.last ?? NEVER),
      Next: offset(known?.next ?? schedule.next(started).toISOString()),
      LastUpdated: offset(known?.updated ?? NEVER),
    };
    const request = timerRequest(
      metadata,
      { status, isPastDue, adjustForDST: schedule.adjustForDST },
      durableClient,
    );
    const where = { functionName: metadata.name, invocationId: request.invocationId };
    log.info(isPastDue ? "timer is past due, runs now" : "timer fired", where);
    const result = await worker.invoke(request);
    if (result.status === "failure")
      log.error(`failed: ${result.exception.message}\n${result.exception.stack}`, where);
    // A clock that was set back must not repeat the same occurrence.
    const from = new Date(Math.max(Date.now(), at.getTime()));
    this.#save(metadata.name, started.toISOString(), schedule.next(from), from);
    this.#wait(timer);
  }

  #save(name: string, last: string, next: Date, updated: Date): void {
    const { store } = this.#options;
    store.transaction(() => store.saveSchedule(name, last, next.toISOString(), updated.toISOString()));
  }
}

export function timerRequest(
  metadata: FunctionMetadata,
  about: {
    status: { Last: string; Next: string; LastUpdated: string };
    isPastDue: boolean;
    adjustForDST: boolean;
  },
  durableClient: string,
): InvocationRequest {
  const { status, isPastDue, adjustForDST } = about;
  const timer = { Schedule: { AdjustForDST: adjustForDST }, ScheduleStatus: status, IsPastDue: isPastDue };
  const inputs = [parameter(triggerOf(metadata).key, jsonData(JSON.stringify(timer)))];
  const clientKey = durableClientKey(metadata);
  if (clientKey !== undefined) inputs.push(parameter(clientKey, stringData(durableClient)));
  return invocationRequest(metadata.functionId, inputs, {
    TimerTrigger: stringData(invariantTime(new Date())),
  });
}

/** As .NET writes a moment with its offset. */
function offset(time: string): string {
  return time.replace(/(\.000)?Z$/, "+00:00");
}

/** As .NET writes a moment in the invariant culture: MM/dd/yyyy HH:mm:ss. */
function invariantTime(time: Date): string {
  const [date = "", clock = ""] = time.toISOString().split("T");
  const [year, month, day] = date.split("-");
  return `${month}/${day}/${year} ${clock.slice(0, 8)}`;
}
