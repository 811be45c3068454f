import { AsyncLocalStorage } from "node:async_hooks";
import pRetry, { AbortError } from "p-retry";
import { awaitingHandles } from "../files/errors.ts";
import { classify, isTimeout } from "./errors.ts";
import { Outage } from "./outage.ts";

const meters = new AsyncLocalStorage<{ throttled: number }>();

/** Attempts at one storage request before its error counts: five, over about 15 seconds. */
const TRIES = 5;
/** A request may take this long, plus a second for every 256 KiB it sends or fetches, before it counts as stalled. */
const BASE_TIMEOUT_MS = 20_000;
const SLOWEST_BYTES_PER_MS = 256;

/** Shared by all requests of the process, because they go to one account. */
const outage = new Outage();

/** What the process has seen of storage; for logs and telemetry. */
export const storageCounters = { retries: 0, throttled: 0, damaged: 0 };

/** Called for each throttled answer and each stalled request, so that the concurrency can be lowered. */
let onThrottle: () => void = () => {};

export function whenThrottled(listener: () => void): void {
  onThrottle = listener;
}

/**
 * Makes one storage request, again if its failure may pass: with exponential back-off and jitter, as often as
 * TRIES, or not at all while the account is gone (see Outage). `attempt` is called with a signal that aborts a stalled
 * request; it must be safe to repeat. If the process has no handle for a socket, it waits for one: that says nothing
 * about the account.
 * @param bytes what the request carries, so that a slow line is not taken for a stall
 * @param patience milliseconds to wait for a socket's handle; by default the longest wait for any
 * @throws the last error of the storage client
 */
export async function withRetries<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  bytes = 0,
  patience?: number,
): Promise<T> {
  return await retrying((timeout) => attempt(AbortSignal.timeout(timeout)), bytes, patience);
}

/**
 * The same for a request that needs no signal: `attempt` is given the milliseconds after which it has stalled, and ends
 * itself then with a TimeoutError.
 */
export async function retrying<T>(
  attempt: (timeout: number) => Promise<T>,
  bytes: number,
  patience?: number,
): Promise<T> {
  const timeout = BASE_TIMEOUT_MS + Math.ceil(bytes / SLOWEST_BYTES_PER_MS);
  return await pRetry(
    async () => {
      try {
        return await outage.watch(
          timeout,
          (within) => awaitingHandles(() => attempt(within), patience),
          isSilence,
        );
      } catch (error) {
        const failure = classify(error);
        if (failure === "throttled" || isTimeout(error)) {
          storageCounters.throttled++;
          wasThrottled();
          onThrottle();
        } else if (failure === "damaged") storageCounters.damaged++;
        else if (failure !== "transient") throw new AbortError(asError(error));
        if (outage.isGone) throw new AbortError(asError(error));
        storageCounters.retries++;
        throw asError(error);
      }
    },
    { retries: TRIES - 1, minTimeout: 400, factor: 2.5, maxTimeout: 8_000, randomize: true },
  );
}

/** Whether an error may mean that storage is gone. Any other answer, even a refusal, shows that it is there. */
function isSilence(error: unknown): boolean {
  return isTimeout(error) || ["transient", "throttled"].includes(classify(error));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/**
 * Does some work and counts how many of its storage requests were throttled or timed out. They were sent again; the
 * count explains why the work took long.
 */
export async function countThrottled<T>(work: () => Promise<T>): Promise<{ result: T; throttled: number }> {
  const meter = { throttled: 0 };
  const result = await meters.run(meter, work);
  return { result, throttled: meter.throttled };
}

/** Counts one request of the current work. */
function wasThrottled(): void {
  const meter = meters.getStore();
  if (meter) meter.throttled++;
}
