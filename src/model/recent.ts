/**
 * Records that no longer change and that this process has read lately, by key; the oldest goes when there are too
 * many.
 */
export class Recent<T> {
  readonly #most: number;
  readonly #values = new Map<string, T>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The value of a key, read if it is not cached. What does not exist yet, or cannot be read, is not cached. */
  async get<Found extends T | undefined>(key: string, read: () => Promise<Found>): Promise<T | Found> {
    const before = this.#values.get(key);
    if (before !== undefined) return before;
    const value = await read();
    if (value === undefined) return value;
    this.#values.set(key, value);
    const oldest = this.#values.keys().next();
    if (this.#values.size > this.#most && !oldest.done) this.#values.delete(oldest.value);
    return value;
  }
}
