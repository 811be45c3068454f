import { Semaphore } from "async-mutex";
import pLimit from "p-limit";
import { Buffers } from "./buffers.ts";

/** Files up to this size are sent by one Put Blob, larger ones in blocks of this size. */
export const BLOCK = 8 * 1024 * 1024;
/** The longest chunk of a file in the layout `packs`. */
const CHUNK = 2 * BLOCK;
/**
 * The unit that memory is counted in. async-mutex walks through a semaphore's whole value at each release, so the
 * value is kept small.
 */
const UNIT = 64 * 1024;
/** Throttled answers within this time count as one sign: they were all sent before the first was answered. */
const ONE_SIGN_MS = 1_000;

/** What all activities of a process share: a limit on open requests and on content in memory. */
export interface Budget {
  /** Runs work that keeps one storage request open. */
  request<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Runs the work on one file. There may be 1.5 times as many as requests, so that reading overlaps with sending.
   */
  file<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Runs `work` when `bytes` of memory are free for content. More than the whole budget counts as the whole; while some is held,
   * more than half counts as half.
   */
  bytes<T>(bytes: number, work: () => Promise<T>): Promise<T>;
  /**
   * Runs work that holds `bytes` of memory while other content is read. All such work together takes at most half of the
   * memory, so that reading never stalls.
   */
  held<T>(bytes: number, work: () => Promise<T>): Promise<T>;
  /** The same as `bytes`, with a buffer of that many bytes, which `work` owns until it ends. */
  content<T>(bytes: number, work: (content: Buffer) => Promise<T>): Promise<T>;
  /** Storage throttles or does not answer: allows fewer requests. */
  throttled(): void;
  /** The process is out of file handles: allows fewer files and requests. */
  outOfHandles(): void;
  /** How many requests may be open now. */
  readonly requests: number;
}

/** A limit on concurrency, between one and `most`, that adapts to what the service can take. */
interface AdaptiveLimit {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** The service asked for less, or did not answer: halves the limit. */
  slowDown(): void;
  /** The current limit. */
  readonly concurrency: number;
}

export function createBudget(requestsInFlight: number, bytesInFlight: number): Budget {
  const units = Math.floor(bytesInFlight / UNIT);
  const memory = new Semaphore(units);
  const half = Math.max(1, Math.floor(units / 2));
  const holding = new Semaphore(half);
  const requests = createAdaptiveLimit(requestsInFlight);
  const files = createAdaptiveLimit(Math.ceil(requestsInFlight * 1.5));
  const blocks = new Buffers(BLOCK);
  const chunks = new Buffers(CHUNK);
  const unitsOf = (wanted: number, most: number) => Math.max(1, Math.min(Math.ceil(wanted / UNIT), most));
  const bytes: Budget["bytes"] = (wanted, work) => {
    // Whoever holds memory may wait for this.
    const isHeld = holding.getValue() < half;
    return memory.runExclusive(work, unitsOf(wanted, isHeld ? units - half : units));
  };
  return {
    request: (work) => requests.run(work),
    file: (work) => files.run(work),
    bytes,
    held: (wanted, work) => {
      const share = unitsOf(wanted, half);
      return holding.runExclusive(() => memory.runExclusive(work, share), share);
    },
    content: (length, work) => bytes(length, () => (length > BLOCK ? chunks : blocks).use(length, work)),
    throttled: () => requests.slowDown(),
    outOfHandles() {
      files.slowDown();
      // A request has a socket, which is also a handle.
      requests.slowDown();
    },
    get requests() {
      return requests.concurrency;
    },
  };
}

/**
 * Additive increase, multiplicative decrease, as in TCP: half at each sign of too much, one more after each full
 * round of successes. It starts at `most`, because most accounts can take that, and a slow start would cost small
 * backups their first second.
 * @param now a clock in milliseconds
 */
export function createAdaptiveLimit(
  most: number,
  now: () => number = performance.now.bind(performance),
): AdaptiveLimit {
  const limit = pLimit(most);
  let successes = 0;
  let lastSign = -Infinity;
  return {
    async run(work) {
      return await limit(async () => {
        const result = await work();
        if (limit.concurrency < most && ++successes >= limit.concurrency) {
          successes = 0;
          limit.concurrency++;
        }
        return result;
      });
    },
    slowDown() {
      if (now() - lastSign < ONE_SIGN_MS) return;
      lastSign = now();
      successes = 0;
      limit.concurrency = Math.max(1, Math.floor(limit.concurrency / 2));
    },
    get concurrency() {
      return limit.concurrency;
    },
  };
}

/**
 * Works on items, with as much concurrency as the budget allows.
 * @throws the first error; items not begun by then are left for the next try
 */
export async function forEachItem<Item, Result>(
  items: readonly Item[],
  budget: Budget,
  work: (item: Item) => Promise<Result | undefined>,
): Promise<Result[]> {
  let failure: { error: unknown } | undefined;
  const attempt = (item: Item) => work(item).catch((error: unknown) => void (failure ??= { error }));
  const results = await Promise.all(
    items.map((item) => budget.file(async () => (failure ? undefined : await attempt(item)))),
  );
  if (failure) throw failure.error;
  return results.filter((result) => result !== undefined);
}
