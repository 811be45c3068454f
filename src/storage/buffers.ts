/**
 * Buffers that are used again: made anew for each block of a large file they cost the kernel and the garbage collector
 * a third of the processor's time that sending the file takes (docs/performance.md).
 */
export class Buffers {
  readonly #size: number;
  #free: Buffer[] = [];
  #taken = 0;

  /** @param size bytes of each */
  constructor(size: number) {
    this.#size = size;
  }

  /**
   * Runs `work` with a buffer, whose content is whatever was in it. After a failure it is not used again: an operation
   * that was given up may still write to it. What a request that was tried again has left of its first try may still
   * be sent from it; it goes out under its own hash, which the service checks.
   * @param length bytes; up to half of a buffer, and more than one, are made for the occasion
   */
  async use<T>(length: number, work: (content: Buffer) => Promise<T>): Promise<T> {
    if (length <= this.#size / 2 || length > this.#size) return await work(Buffer.allocUnsafe(length));
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#size);
    this.#taken++;
    let used = false;
    try {
      const result = await work(buffer.subarray(0, length));
      used = true;
      return result;
    } finally {
      this.#taken--;
      if (used) this.#free.push(buffer);
      // Nobody has content in flight: the memory is given back.
      if (this.#taken === 0) this.#free = [];
    }
  }
}
