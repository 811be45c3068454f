/** Storage counts as gone when no request of this process has succeeded for this long. */
const GONE_AFTER_MS = 50_000;
/** The least time a request gets while storage does not answer. */
const PROBE_MS = 3_000;

/**
 * Distinguishes an unreachable storage account from a failed request. As long as any request of the process succeeds, or
 * is refused for a reason, storage is reachable. While it is not, a single request probes whether it is back, and the
 * others fail at once. So a run ends within two minutes however many of its activities wait for storage, and one that
 * starts when storage is back goes ahead.
 */
export class Outage {
  readonly #now: () => number;
  #lastAnswer = -Infinity;
  /** The start of the first request that found storage gone. */
  #since: number | undefined;
  #failure: unknown;
  #probing = false;

  /** @param now a clock in milliseconds that only goes forward */
  constructor(now: () => number = performance.now.bind(performance)) {
    this.#now = now;
  }

  get isGone(): boolean {
    return this.#since !== undefined && this.#now() - this.#since >= GONE_AFTER_MS;
  }

  /**
   * Makes a request, unless storage is gone and another request is finding out whether it is back.
   * @param request gets the time after which it must abort itself
   * @param isSilence whether an error may mean that storage is gone
   * @throws what `request` throws, or the last error of a request that found storage gone
   */
  async watch<T>(
    timeoutMs: number,
    request: (timeoutMs: number) => Promise<T>,
    isSilence: (error: unknown) => boolean,
  ): Promise<T> {
    const began = this.#now();
    const probes = this.isGone;
    if (probes && this.#probing) throw this.#failure;
    if (probes) this.#probing = true;
    try {
      const result = await request(this.#within(timeoutMs, began));
      this.#answered();
      return result;
    } catch (error) {
      if (isSilence(error)) {
        this.#since ??= Math.max(began, this.#lastAnswer);
        this.#failure = error;
      } else this.#answered();
      throw error;
    } finally {
      if (probes) this.#probing = false;
    }
  }

  #answered(): void {
    this.#since = undefined;
    this.#lastAnswer = this.#now();
  }

  /** A request made while nothing succeeds does not wait beyond the time at which storage counts as gone. */
  #within(timeoutMs: number, began: number): number {
    if (this.#since === undefined) return timeoutMs;
    return Math.min(timeoutMs, Math.max(PROBE_MS, Math.ceil(this.#since + GONE_AFTER_MS - began)));
  }
}
