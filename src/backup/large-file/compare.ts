import type { BlobServiceClient } from "@azure/storage-blob";
import { Ledger } from "../../ledger/ledger.ts";
import { heartbeat } from "../../ledger/alive.ts";
import { readTally } from "../../ledger/outcomes.ts";
import type { Settings } from "../../settings.ts";
import { finishHash, resumeMd5, stateOf } from "../../storage/resumable-md5.ts";
import type { Budget } from "../../storage/budget.ts";
import { blobMetadata } from "../../store/files/blob-headers.ts";
import { contentOutcome } from "../copy-outcome.ts";
import { attributesOf } from "../../model/entry.ts";
import { hashNext } from "../hash-next.ts";
import { hasContent } from "../same-content.ts";
import type { Outcome, Tally } from "../../model/outcome.ts";
import { settle } from "./begin-and-commit.ts";
import { withPlannedFile } from "./planned-file.ts";
import { largeBlob, type AttemptRef } from "./plan.ts";
import { largeOutcome } from "../../ledger/names.ts";

/** How far a large file is compared with its blob: what one activity hands to the next. */
export interface Comparing {
  /** Bytes before it are hashed. */
  position: number;
  /** The hash's state there; see resumeMd5. */
  state?: string;
}

/** What is left to compare, that nothing is to be copied, or (by the hash's state at the end) that the contents differ. */
export type Compared = { comparing: Comparing } | { settled: Tally } | { differs: string } | "changed";

/**
 * Goes on comparing a large file with its blob by the MD5, for a bounded time. One whose content is the blob's is
 * recorded as unchanged. A file that was settled before is not read again.
 * @returns "changed" when the file is no longer the one that the attempt began with
 */
export async function compareNext(
  ref: AttemptRef & Comparing,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Compared> {
  const ledger = new Ledger(service, ref.run);
  const before = await readTally(ledger, largeOutcome(ref));
  if (before) return { settled: before };
  const hash = await resumeMd5(ref.state);
  const until = performance.now() + settings.listMs;
  let position = ref.position;
  let atEnd = false;
  let unchanged: Outcome | undefined;
  const piece = await withPlannedFile(ledger, ref, settings, async (file, { size }, entry) => {
    position = await hashNext(file, hash, { from: position, to: size, until }, budget);
    atEnd = position === size;
    if (!atEnd) return;
    const stored = { md5: (await finishHash(stateOf(hash))).toString("base64"), size };
    const attributes = attributesOf(file.stats);
    const metadata = blobMetadata(entry, attributes, { runId: ref.run, root: ref.root });
    if (await hasContent(entry, stored, () => largeBlob(service, ref, entry), metadata)) {
      unchanged = contentOutcome(entry, { ...stored, wasThere: true }, attributes);
    }
  });
  if (piece === "changed") return piece;
  if (unchanged) return { settled: await settle(ledger, ref, unchanged) };
  await heartbeat(ledger, ref.position, position);
  const state = stateOf(hash);
  return atEnd ? { differs: state } : { comparing: { position, state } };
}
