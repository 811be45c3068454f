import type { BlobServiceClient } from "@azure/storage-blob";
import type { IHasher } from "hash-wasm";
import { Ledger } from "../../ledger/ledger.ts";
import type { Settings } from "../../settings.ts";
import { resumeMd5, stateOf } from "../../storage/resumable-md5.ts";
import { BLOCK, type Budget } from "../budget.ts";
import type { OpenFile } from "../read-file.ts";
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
  const piece = await withPlannedFile(new Ledger(service, span.run), span, settings, async (file) => {
    reached = await hashOn(file, hash, { ...span, until }, budget);
  });
  if (piece === "changed") return piece;
  return { state: stateOf(hash), ...(reached < span.to ? { reached } : {}) };
}

/**
 * Hashes on in a file, in blocks, until the time is up; one block at least.
 * @param until by `performance.now()`
 * @returns the position that it came to
 * @throws ChangedWhileReading
 */
export async function hashOn(
  file: OpenFile,
  hash: IHasher,
  { from, to, until }: { from: number; to: number; until: number },
  budget: Budget,
): Promise<number> {
  let position = from;
  await budget.content(BLOCK, async (buffer) => {
    while (position < to && (position === from || performance.now() < until)) {
      const chunk = buffer.subarray(0, Math.min(BLOCK, to - position));
      await file.read(chunk, position);
      hash.update(chunk);
      position += chunk.length;
    }
  });
  await file.assertUnchanged();
  return position;
}
