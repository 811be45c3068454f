/**
 * Memory that the file thread reads into and writes from, in reusable slots: handing a new buffer from thread to thread for
 * each file costs the garbage collector more than reading the file.
 */
export class SharedMemory {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly #size: number;
  readonly #free: number[] = [];

  /** @param size bytes of a slot */
  constructor(slots: number, size: number) {
    this.bytes = new Uint8Array(new SharedArrayBuffer(slots * size));
    this.#size = size;
    for (let slot = 0; slot < slots; slot++) this.#free.push(slot * size);
  }

  /** Runs `work` with a slot of its own. @returns undefined, without running it, if none is free */
  async use<T>(work: (slot: Uint8Array<SharedArrayBuffer>) => Promise<T>): Promise<T | undefined> {
    const from = this.#free.pop();
    if (from === undefined) return undefined;
    try {
      return await work(this.bytes.subarray(from, from + this.#size));
    } finally {
      this.#free.push(from);
    }
  }
}
