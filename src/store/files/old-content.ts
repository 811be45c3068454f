import type { BlockBlobClient } from "@azure/storage-blob";
import { isFinal } from "../../ledger/damaged.ts";
import { Ledger } from "../../ledger/ledger.ts";
import type { Keep } from "../../ledger/listing.ts";
import { readRun } from "../../ledger/run-record.ts";
import type { Existing } from "../../model/entry.ts";
import { whatHolds } from "../../model/held.ts";
import { LEDGER_ID } from "../../model/names.ts";
import type { BlobWritten } from "../../storage/by-sdk.ts";
import { withRetries } from "../../storage/retries.ts";
import { NotStored } from "../storing.ts";

/** Runs of this process whose writes returned a version id: their destination keeps what they overwrite. */
const versioned = new Set<string>();
const REMEMBERED = 32;

/** Keeps the old content of blobs that a run is about to overwrite. */
export class OldContent {
  readonly #ledger: Ledger;
  readonly #keep: Keep;

  constructor(ledger: Ledger, keep: Keep) {
    this.#ledger = ledger;
    this.#keep = keep;
  }

  /**
   * Keeps the content that a blob has under an ETag, unless the account does. Content of another path is always kept, because
   * this run may have found that file unchanged.
   * @throws NotStored if the blob cannot be overwritten, so that no snapshot is made for nothing
   */
  async keep(blob: BlockBlobClient, { etag, held, ofAnother }: Existing): Promise<void> {
    const wanted = this.#keep === "snapshots" || (this.#keep === "nothing" && ofAnother);
    if (!wanted || versioned.has(this.#ledger.runId)) return;
    if (held !== undefined) throw new NotStored(`its blob ${whatHolds(held)}`);
    await withRetries((abortSignal) => blob.createSnapshot({ abortSignal, conditions: { ifMatch: etag } }));
  }

  /** Learns from a write's response whether the destination keeps versions; nothing else says so. */
  wrote({ versionId }: BlobWritten): void {
    if (versionId === undefined) return;
    versioned.add(this.#ledger.runId);
    const oldest = versioned.keys().next();
    if (versioned.size > REMEMBERED && !oldest.done) versioned.delete(oldest.value);
  }

  /**
   * Why a blob that was written since it was listed must not be overwritten, as a message; undefined if it may be. An activity
   * continues for a while after its run was canceled, and by then another run may have written the blob.
   * @param writer the run whose mark the blob has
   */
  async whyNotOver(writer: string | undefined): Promise<string | undefined> {
    const own = await readRun(this.#ledger);
    const who = writer === undefined ? "somebody else" : `the run ${writer.slice(0, 128)}`;
    if (own?.status !== "running") {
      return `${who} has written its blob meanwhile, and this run is over (${own?.status ?? "forgotten"})`;
    }
    if (writer === undefined || !LEDGER_ID.test(writer)) return undefined;
    const started = await this.#startOf(writer);
    if (started === undefined || Date.parse(started) <= Date.parse(own.started)) return undefined;
    return `${who}, which began later, has written its blob meanwhile`;
  }

  /** A run whose record cannot be read may have begun at any time. */
  async #startOf(run: string): Promise<string | undefined> {
    try {
      return (await readRun(new Ledger(this.#ledger.service, run)))?.started;
    } catch (error) {
      if (isFinal(error)) return new Date(8.64e15).toISOString();
      throw error;
    }
  }
}
