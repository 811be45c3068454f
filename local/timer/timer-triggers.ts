/**
 * Runs timer-triggered functions. When an occurrence passed while no host ran, the function runs once at the next
 * start with `IsPastDue`, however many were missed, as on the real host. A run that takes longer than
 * the interval is not overlapped by the next.
 */
import { triggerOf } from "../app/registered-function.ts";
import { durableClientKey } from "../app/registered-function.ts";
import type { FunctionMetadata } from "../app/registered-function.ts";
import type { Store } from "../durable/store.ts";
import type { Logger } from "../log/logger.ts";
import { StartUpError, messageOf } from "../start-up-error.ts";
import { invocationRequest, jsonData, parameter, stringData } from "../worker/messages.ts";
import type { InvocationRequest } from "../worker/messages.ts";
import type { Worker } from "../worker/worker.ts";
import { parseSchedule } from "./schedule.ts";
import type { Schedule } from "./schedule.ts";

const LONGEST_WAIT = 2 ** 31 - 1;
/** What the real host has in place of a last run that never was. */
const NEVER = "0001-01-01T00:00:00.000Z";

export interface TimerTriggersOptions {
  functions: FunctionMetadata[];
  store: Store;
  worker: Worker;
  log: Logger;
  durableClient: string;
}

export class TimerTriggers {
  readonly #options: TimerTriggersOptions;
  readonly #timers: { metadata: FunctionMetadata; schedule: Schedule; runOnStartup: boolean }[];
  readonly #waits = new Map<string, NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  /** Throws StartUpError when a function's schedule cannot be read. */
  constructor(options: TimerTriggersOptions) {
    this.#options = options;
    this.#timers = options.functions.map((metadata) => {
      const { binding } = triggerOf(metadata);
      const text = binding["schedule"];
      try {
        const schedule = parseSchedule(typeof text === "string" ? text : "", process.env);
        schedule.next(new Date());
        return { metadata, schedule, runOnStartup: binding["runOnStartup"] === true };
      } catch (error) {
        throw new StartUpError(
          `The schedule of function '${metadata.name}' is not valid: ${messageOf(error)}.`,
        );
      }
    });
  }

  start(): void {
    for (const { metadata, schedule, runOnStartup } of this.#timers) {
      const known = this.#options.store.schedule(metadata.name);
      const now = new Date();
      if (!known) this.#save(metadata.name, NEVER, schedule.next(now), now);
      const missed = known !== undefined && Date.parse(known.next) <= now.getTime();
      if (missed || runOnStartup) this.#run(metadata, schedule, missed, now);
      else this.#wait(metadata, schedule, known ? new Date(known.next) : schedule.next(now));
    }
  }

  /** Starts no more; resolves when those running have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const wait of this.#waits.values()) clearTimeout(wait);
    await Promise.all(this.#running);
  }

  #wait(metadata: FunctionMetadata, schedule: Schedule, at: Date): void {
    if (this.#stopped) return;
    const left = at.getTime() - Date.now();
    const wait = setTimeout(
      () =>
        left > LONGEST_WAIT ? this.#wait(metadata, schedule, at) : this.#run(metadata, schedule, false, at),
      Math.min(LONGEST_WAIT, Math.max(0, left)),
    );
    this.#waits.set(metadata.name, wait);
  }

  #run(metadata: FunctionMetadata, schedule: Schedule, isPastDue: boolean, at: Date): void {
    const run = this.#invoke(metadata, schedule, isPastDue, at).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #invoke(metadata: FunctionMetadata, schedule: Schedule, isPastDue: boolean, at: Date): Promise<void> {
    const { store, worker, log, durableClient } = this.#options;
    const known = store.schedule(metadata.name);
    const started = new Date();
    const status = {
      Last: offset(known?.last ?? NEVER),
      Next: offset(known?.next ?? schedule.next(started).toISOString()),
      LastUpdated: offset(known?.updated ?? NEVER),
    };
    const request = timerRequest(metadata, status, isPastDue, durableClient);
    const where = { functionName: metadata.name, invocationId: request.invocationId };
    log.info(isPastDue ? "timer is past due, runs now" : "timer fired", where);
    const result = await worker.invoke(request);
    if (result.status === "failure")
      log.error(`failed: ${result.exception.message}\n${result.exception.stack}`, where);
    // A clock that ran a little ahead must not give the same occurrence again.
    const next = schedule.next(new Date(Math.max(Date.now(), at.getTime())));
    this.#save(metadata.name, started.toISOString(), next, started);
    this.#wait(metadata, schedule, next);
  }

  #save(name: string, last: string, next: Date, updated: Date): void {
    const { store } = this.#options;
    store.transaction(() => store.saveSchedule(name, last, next.toISOString(), updated.toISOString()));
  }
}

export function timerRequest(
  metadata: FunctionMetadata,
  status: { Last: string; Next: string; LastUpdated: string },
  isPastDue: boolean,
  durableClient: string,
): InvocationRequest {
  const timer = { Schedule: { AdjustForDST: true }, ScheduleStatus: status, IsPastDue: isPastDue };
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
