import type { BlobServiceClient } from "@azure/storage-blob";
import { Ledger } from "../../ledger/ledger.ts";
import type { Settings } from "../../settings.ts";
import { resumeMd5, stateOf } from "../../storage/resumable-md5.ts";
import { BLOCK, type Budget } from "../budget.ts";
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

/** Goes on with the MD5 of the whole file. */
export async function hashSpan(
  span: Span,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<{ state: string } | "changed"> {
  const hash = await resumeMd5(span.state);
  const piece = await withPlannedFile(new Ledger(service, span.run), span, settings, async (file) => {
    await budget.content(BLOCK, async (buffer) => {
      for (let position = span.from; position < span.to; position += BLOCK) {
        const chunk = buffer.subarray(0, Math.min(BLOCK, span.to - position));
        await file.read(chunk, position);
        hash.update(chunk);
      }
    });
    await file.assertUnchanged();
  });
  return piece === "changed" ? piece : { state: stateOf(hash) };
}
