import type { BlobServiceClient } from "@azure/storage-blob";
import { Ledger } from "../../ledger/ledger.ts";
import { heartbeat } from "../../ledger/alive.ts";
import type { Settings } from "../../settings.ts";
import { resumeMd5, stateOf } from "../../storage/resumable-md5.ts";
import type { Budget } from "../../storage/budget.ts";
import { hashNext } from "../hash-next.ts";
import { withPlannedFile } from "./planned-file.ts";
import type { AttemptRef } from "./plan.ts";

/** A span of a file to hash, and the hash's state after all that is before it. */
export interface Span extends AttemptRef {
  /** Bytes. */
  from: number;
  to: number;
  /** Base64; absent at the start of the file. */
  state?: string;
}

/** The hash's state, and where it is when the time was up before the span's end. */
export type HashedSpan = { state: string; reached?: number } | "changed";

/** Goes on with the MD5 of the whole file, for a bounded time. */
export async function hashSpan(
  span: Span,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<HashedSpan> {
  const hash = await resumeMd5(span.state);
  const until = performance.now() + settings.listMs;
  let reached = span.from;
  const ledger = new Ledger(service, span.run);
  const piece = await withPlannedFile(ledger, span, settings, async (file) => {
    reached = await hashNext(file, hash, { ...span, until }, budget);
  });
  if (piece === "changed") return piece;
  await heartbeat(ledger, span.from, reached);
  return { state: stateOf(hash), ...(reached < span.to ? { reached } : {}) };
}
