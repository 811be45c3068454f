import type { BlobServiceClient } from "@azure/storage-blob";
import { createMD5 } from "hash-wasm";
import { Ledger } from "../../ledger/ledger.ts";
import type { Settings } from "../../settings.ts";
import { BLOCK } from "../copy-context.ts";
import type { Budget } from "../budget.ts";
import { withTimeout } from "../timeout.ts";
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

/**
 * Goes on with the MD5 of the whole file. MD5 is a chain that cannot be computed in parallel, and no activity may last
 * for as long as a huge file takes; so its state goes from activity to activity (node:crypto cannot hand it out,
 * hash-wasm can).
 */
export async function hashSpan(
  span: Span,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<{ state: string } | "changed"> {
  const hash = await createMD5();
  hash.init();
  if (span.state !== undefined) hash.load(Buffer.from(span.state, "base64"));
  const piece = await withPlannedFile(new Ledger(service, span.run), span, settings, async (file) => {
    await budget.bytes(BLOCK, async () => {
      const buffer = Buffer.allocUnsafe(BLOCK);
      for (let position = span.from; position < span.to; position += BLOCK) {
        const chunk = buffer.subarray(0, Math.min(BLOCK, span.to - position));
        await withTimeout(file.read(chunk, position), settings.fileTimeoutMs, "reading it");
        hash.update(chunk);
      }
    });
    await file.assertUnchanged();
  });
  return piece === "changed" ? piece : { state: Buffer.from(hash.save()).toString("base64") };
}

/** The MD5 that a state stands for, when nothing follows. */
export async function finishHash(state: string): Promise<Buffer> {
  const hash = await createMD5();
  hash.init();
  hash.load(Buffer.from(state, "base64"));
  return Buffer.from(hash.digest("binary"));
}
