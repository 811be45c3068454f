import type { IncomingMessage } from "node:http";

const MIB = 1024 * 1024;

/** The largest body of a request to a function, as in Azure. */
export const LARGEST_BODY = 100 * MIB;
/** The largest body of a request to the Durable API: its content is kept, and read again with each turn. */
export const LARGEST_DURABLE_BODY = 8 * MIB;
/** The most bytes of bodies being read, all requests together. */
const MOST_BYTES = 256 * MIB;

export class BodyTooLargeError extends Error {
  override name = "BodyTooLargeError";
}

/** Other requests use all the memory for bodies. */
export class TooManyBodiesError extends Error {
  override name = "TooManyBodiesError";
}

/** Reads whole bodies, with a limit for each and one for all that are read at the same time. */
export class BodyReader {
  readonly #most: number;
  #held = 0;

  constructor(most = MOST_BYTES) {
    this.#most = most;
  }

  /** @throws BodyTooLargeError, TooManyBodiesError */
  async read(request: IncomingMessage, largest: number): Promise<Buffer> {
    checkDeclared(request, largest);
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        size += chunk.length;
        this.#held += chunk.length;
        check(size, largest);
        if (this.#held > this.#most)
          throw new TooManyBodiesError("Other requests are being read; try again in a moment.");
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    } finally {
      this.#held -= size;
    }
  }
}

/** Refuses a body that declares itself too large, before any of it is read. @throws BodyTooLargeError */
export function checkDeclared({ headers }: IncomingMessage, largest: number): void {
  check(Number(headers["content-length"] ?? 0), largest);
}

function check(size: number, largest: number): void {
  if (size > largest) throw tooLarge(largest);
}

export function tooLarge(largest: number): BodyTooLargeError {
  return new BodyTooLargeError(`The request body is larger than ${largest} bytes.`);
}
