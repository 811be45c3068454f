/**
 * Records that no longer change and that this process has read lately, by key; the oldest goes when there are too
 * many. A record that several ask for at a time is read once.
 */
export class Recent<T> {
  readonly #most: number;
  readonly #values = new Map<string, Promise<T | undefined>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The value of a key, read if it is not cached. What does not exist yet, or cannot be read, is not cached. */
  async get<Found extends T | undefined>(key: string, read: () => Promise<Found>): Promise<T | Found> {
    // Without waiting where there is none: whoever asks at the same moment is to find this reading.
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
