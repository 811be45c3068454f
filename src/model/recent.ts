/**
 * Recently read records that no longer change, by key; the oldest is evicted when there are too many. Concurrent requests
 * for one record read it once.
 */
export class Recent<T> {
  readonly #most: number;
  readonly #values = new Map<string, Promise<T | undefined>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The value of a key, read if it is not cached. What does not exist yet, or cannot be read, is not cached. */
  async get<Found extends T | undefined>(key: string, read: () => Promise<Found>): Promise<T | Found> {
    // No await if there is none, so that a concurrent request finds this reading.
    const known = this.#values.get(key);
    const before = known && (await known);
    if (before !== undefined) return before;
    const reading = read();
    this.#values.set(key, reading);
    const oldest = this.#values.keys().next();
    if (this.#values.size > this.#most && !oldest.done) this.#values.delete(oldest.value);
    const forget = (): void => {
      if (this.#values.get(key) === reading) this.#values.delete(key);
    };
    try {
      const value = await reading;
      if (value === undefined) forget();
      return value;
    } catch (error) {
      forget();
      throw error;
    }
  }
}
