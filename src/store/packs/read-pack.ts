import { HOLDING_A_FILE_MS } from "../../files/handles.ts";
import type { Packed } from "../../model/packed.ts";
import type { Budget } from "../../storage/budget.ts";
import { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { retrying } from "../../storage/retries.ts";
import type { At } from "./format.ts";
import { Fetched } from "./fetched.ts";
import { lostBlob } from "./lost-blob.ts";
import { packBlob } from "./names.ts";

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
