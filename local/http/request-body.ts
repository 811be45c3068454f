import type { IncomingMessage } from "node:http";

const MIB = 1024 * 1024;

/** The largest request body Azure Functions takes. */
export const LARGEST_BODY = 100 * MIB;
/** Bytes of bodies that are being read, all requests together. */
const MOST_BYTES = 256 * MIB;

export class BodyTooLargeError extends Error {
  override name = "BodyTooLargeError";
}

/** Other requests hold all the memory that there is for bodies. */
export class TooManyBodiesError extends Error {
  override name = "TooManyBodiesError";
}

/** Reads whole bodies, within bounds: of each, and of all that are read at the same time. */
export class BodyReader {
  readonly #largest: number;
  readonly #most: number;
  #held = 0;

  constructor(largest = LARGEST_BODY, most = MOST_BYTES) {
    this.#largest = largest;
    this.#most = most;
  }

  /** @throws BodyTooLargeError, TooManyBodiesError */
  async read(request: IncomingMessage): Promise<Buffer> {
    // What says that it is too large is not read at all.
    this.#check(Number(request.headers["content-length"] ?? 0));
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        size += chunk.length;
        this.#held += chunk.length;
        this.#check(size);
        if (this.#held > this.#most)
          throw new TooManyBodiesError("Other requests are being read; try again in a moment.");
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    } finally {
      this.#held -= size;
    }
  }

  #check(size: number): void {
    if (size <= this.#largest) return;
    throw new BodyTooLargeError(`The request body is larger than ${this.#largest} bytes.`);
  }
}
