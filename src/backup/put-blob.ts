import type { BlockBlobClient, BlobRequestConditions } from "@azure/storage-blob";
import { classify } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";
import { fileFromMetadata } from "./blob-headers.ts";
import type { Existing } from "./entry.ts";
import type { OldContent } from "./old-content.ts";

/** What the blob holds now: what this call wrote, or what another attempt of the same run had written before. */
export interface Put {
  /** Base64. */
  md5: string;
  size: number;
  /** Set when another attempt of this run had written the blob: its content stands, and its file's time and mode. */
  adopted?: { mtime: number; mode: number };
}

/** A blob holds what is not to be written over; the message says why, for people. */
export class Superseded extends Error {}

/** Times a blob that somebody else writes meanwhile is tried again. */
const CONFLICTS = 3;

/**
 * Writes a blob exactly once a run. It is written only over what was there when the destination was listed; where
 * another attempt of this run came first, that one's content stands, so that what the ledger says of a blob is true
 * whichever of two attempts records it. Where somebody else wrote it meanwhile, theirs is kept and written over, unless
 * `old` says why not.
 * @param blob the blob's client, made only where it is needed: an SDK client for each file would be felt
 * @param content `md5` in base64
 * @param write makes the write under the conditions; may be called again. `blocksThere` is set when blocks that nobody
 * committed are in the blob's place: they count as a blob for Put Blob, but not for Put Block List
 * @throws Superseded
 */
export async function putBlob(
  blob: () => BlockBlobClient,
  content: { md5: string; size: number; runId: string; existing: Existing | undefined },
  write: (conditions: BlobRequestConditions, blocksThere: boolean) => Promise<unknown>,
  old: OldContent,
): Promise<Put> {
  const { md5 } = content;
  let existing = content.existing;
  let blocksThere = false;
  for (let conflicts = 0; ; conflicts++) {
    try {
      if (existing && existing.md5 !== md5) await old.keep(blob(), existing.etag);
      const answer = await write(existing ? { ifMatch: existing.etag } : { ifNoneMatch: "*" }, blocksThere);
      old.wrote(answer);
      return { md5, size: content.size };
    } catch (error) {
      const failure = classify(error);
      // The blob that was to be overwritten is gone: write it anew.
      if (failure === "missing" && existing) existing = undefined;
      else if (failure !== "conflict") throw error;
      if (conflicts === CONFLICTS) throw error;
      const now = await propertiesOf(blob());
      blocksThere = !now;
      if (now && now.runId === content.runId && now.md5 !== undefined) {
        return { md5: now.md5, size: now.size, ...(now.file ? { adopted: now.file } : {}) };
      }
      const why = now && (await old.whyNotOver(now.runId));
      if (why !== undefined) throw new Superseded(why);
      existing = now && { etag: now.etag, ...(now.md5 !== undefined ? { md5: now.md5 } : {}) };
    }
  }
}

async function propertiesOf(blob: BlockBlobClient) {
  try {
    const now = await withRetries((abortSignal) => blob.getProperties({ abortSignal }));
    return {
      etag: now.etag ?? "",
      size: now.contentLength ?? 0,
      md5: now.contentMD5 && Buffer.from(now.contentMD5).toString("base64"),
      runId: now.metadata?.["run"],
      file: fileFromMetadata(now.metadata),
    };
  } catch (error) {
    if (classify(error) === "missing") return undefined;
    throw error;
  }
}
