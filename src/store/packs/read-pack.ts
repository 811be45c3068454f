import { HOLDING_A_FILE_MS } from "../../files/errors.ts";
import type { Packed } from "../../model/packed.ts";
import { Recent } from "../../model/recent.ts";
import type { Budget } from "../../storage/budget.ts";
import { classify, describe } from "../../storage/errors.ts";
import { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { retrying } from "../../storage/retries.ts";
import { Lost } from "../fetching.ts";
import type { At } from "./format.ts";
import { contentIn, decodeFrame } from "./frame.ts";
import { packBlob } from "./names.ts";

/** How many decoded shared frames of a range to keep: contents are read in their order. */
const FRAMES_KEPT = 8;
/** Memory for these. */
export const KEPT_BYTES = FRAMES_KEPT * 256 * 1024;

/** The budget that requests are charged to, or UNCOUNTED for none. */
export type Requests = Pick<Budget, "request">;
export const UNCOUNTED: Requests = { request: (work) => work() };

/** Reads parts of packs. */
export class PackReader {
  readonly #requests: GetBlobRequests;
  readonly #prefix: string;

  constructor({ container, prefix, behindProxy }: At) {
    this.#requests = new GetBlobRequests(container, behindProxy);
    this.#prefix = prefix;
  }

  /** @throws Lost if the pack is gone, or is not as long as recorded; storage errors, after retries */
  async read(
    { pack, from, to }: { pack: string; from: number; to: number },
    budget: Requests,
  ): Promise<Fetched> {
    const name = packBlob(this.#prefix, pack);
    const into = Buffer.allocUnsafe(to - from);
    try {
      await budget.request(() =>
        retrying(
          (timeout) => this.#requests.read({ name }, from, into, timeout),
          into.length,
          HOLDING_A_FILE_MS,
        ),
      );
      return new Fetched(into, from);
    } catch (error) {
      throw lostBlob(`its pack ${name}`, error);
    }
  }

  /** One content, decoded and checked. @throws Lost, Corrupt; storage errors, after retries */
  async content(packed: Packed, budget: Requests): Promise<Buffer> {
    const { pack, offset, length } = packed;
    return await (await this.read({ pack, from: offset, to: offset + length }, budget)).content(packed);
  }
}

/** Bytes of a pack that were fetched with one request. */
export class Fetched {
  readonly #bytes: Buffer;
  readonly #from: number;
  readonly #shared = new Recent<Buffer>(FRAMES_KEPT);

  /** @param from where they begin in the pack */
  constructor(bytes: Buffer, from: number) {
    this.#bytes = bytes;
    this.#from = from;
  }

  /** A content that lies in them, decoded and checked. @throws Lost, Corrupt */
  async content(packed: Packed): Promise<Buffer> {
    const { offset, length, raw, size } = packed;
    const decode = (): Promise<Buffer> =>
      decodeFrame(this.#bytes.subarray(offset - this.#from, offset - this.#from + length), raw);
    return contentIn(await (raw === size ? decode() : this.#shared.get(String(offset), decode)), packed);
  }
}

/**
 * What an error in reading a blob means for a content in it.
 * @param what the blob, as the beginning of a sentence
 * @returns Lost, or the error itself if it says nothing of the blob
 */
export function lostBlob(what: string, error: unknown): unknown {
  const failure = classify(error);
  const cause = { cause: error };
  if (failure === "missing") return new Lost(`${what} is missing`, cause);
  if (failure === "invalid") return new Lost(`${what} is cut short`, cause);
  return failure === "held" ? new Lost(`${what} cannot be read: ${describe(error)}`, cause) : error;
}
