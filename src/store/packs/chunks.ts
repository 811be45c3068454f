import { hash } from "node:crypto";
import { HOLDING_A_FILE_MS } from "../../files/errors.ts";
import { whatHolds } from "../../model/held.ts";
import { Recent } from "../../model/recent.ts";
import type { Budget } from "../../storage/budget.ts";
import { inContainer } from "../../storage/connect.ts";
import type { PutBlobRequests } from "../../storage/put-blob-request.ts";
import { NotStored, orNotStored } from "../storing.ts";
import type { At } from "./format.ts";
import { blobHead, canHold, encodeFrame } from "./frame.ts";
import { lookUp } from "./look-up.ts";
import { chunkBlob } from "./names.ts";
import { putOnce } from "./put-once.ts";
import type { Chunk } from "./recipe.ts";

/**
 * Chunks that this process has stored or found, by run and destination: none of them is deleted while the run is in progress, for a
 * destination is not pruned meanwhile.
 */
const there = new Recent<true>(20_000);

/** Stores chunks, each once. */
export class ChunkStore {
  readonly #at: Pick<At, "container" | "prefix">;
  readonly #requests: PutBlobRequests;
  readonly #key: string;
  readonly #fresh: boolean;
  readonly #damaged: ReadonlySet<string>;
  readonly #budget: Budget;
  /** Ids of damaged chunks that were written anew. */
  readonly healed = new Set<string>();
  /** Whether chunks that this work needs were stored before; undefined until one was looked for. */
  #foundSome: boolean | undefined;

  /**
   * @param run `fresh` if nothing was at the destination when it began; `damaged`: ids of chunks to write anew
   */
  constructor(
    at: Pick<At, "container" | "prefix">,
    requests: PutBlobRequests,
    run: { run: string; fresh: boolean; damaged: ReadonlySet<string> },
    budget: Budget,
  ) {
    this.#at = at;
    this.#requests = requests;
    this.#key = `${run.run} ${at.container.url} ${at.prefix}`;
    this.#fresh = run.fresh;
    this.#damaged = run.damaged;
    this.#budget = budget;
  }

  /** @throws NotStored; storage errors, after retries */
  async put(content: Buffer): Promise<Chunk> {
    const id = hash("sha256", content);
    await there.get(`${this.#key} ${id}`, async () => {
      await orNotStored(() => this.#store(id, content));
      return true;
    });
    return { id, length: content.length };
  }

  async #store(id: string, content: Buffer): Promise<void> {
    const name = chunkBlob(this.#at.prefix, id);
    const isDamaged = this.#damaged.has(id);
    // In a fresh destination only an earlier delivery of the same work has stored chunks, and the first of them first.
    const looks = !this.#fresh || this.#foundSome !== false;
    const found = looks ? await this.#budget.request(() => lookUp(this.#at, name)) : undefined;
    this.#foundSome ||= found !== undefined;
    if (found?.held === "archived")
      throw new NotStored(`its chunk, the blob ${name}, ${whatHolds(found.held)}`);
    if (found && !isDamaged && canHold(found.size, content.length)) return;
    const blob = [blobHead("C"), ...(await encodeFrame(content))];
    const isMine = await this.#budget.request(() =>
      inContainer(this.#at.container, () =>
        putOnce(this.#requests, name, blob, { over: found?.etag, patience: HOLDING_A_FILE_MS }),
      ),
    );
    if (!isMine && !found) {
      // Something is there that was not looked for.
      this.#foundSome = true;
      return await this.#store(id, content);
    }
    if (isDamaged) this.healed.add(id);
  }
}
