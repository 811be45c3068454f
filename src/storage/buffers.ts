/**
 * Reusable buffers: allocating one for each block of a large file costs the kernel and the garbage collector a third
 * of the CPU time of sending the file (docs/performance.md).
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
   * Runs `work` with a buffer of undefined content. After a failure the buffer is not used again, because an
   * abandoned operation may still write to it. A retried request may still send from it what was left of its first
   * try; that goes out under its own hash, which the service checks.
   * @param length bytes; a length up to half a buffer, or above one, gets a buffer of its own
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
      // No content is in flight: give the memory back.
      if (this.#taken === 0) this.#free = [];
    }
  }
}
