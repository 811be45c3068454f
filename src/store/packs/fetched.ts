import type { Packed } from "../../model/packed.ts";
import { Recent } from "../../model/recent.ts";
import { contentIn, decodeFrame } from "./frame.ts";

/** How many decoded shared frames of a range to keep: contents are read in their order. */
const FRAMES = 8;
/** Memory for these. */
export const KEPT = FRAMES * 256 * 1024;

/** Bytes of a pack that were fetched with one request. */
export class Fetched {
  readonly #bytes: Buffer;
  readonly #from: number;
  readonly #shared = new Recent<Buffer>(FRAMES);

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
