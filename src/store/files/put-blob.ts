import type { BlobRequestConditions, BlockBlobClient } from "@azure/storage-blob";
import type { Entry } from "../../model/entry.ts";
import type { BlobWritten } from "../../storage/by-sdk.ts";
import { afterConflict } from "./conflict.ts";
import { lookUp, type PutResult } from "./look-up.ts";
import type { OldContent } from "./old-content.ts";

/**
 * Writes a blob exactly once per run, and only over what was there when the destination was listed. If another attempt of this
 * run wrote the same file first, its content stands, so that the ledger is right whichever attempt records the outcome. If
 * somebody else wrote it meanwhile, their content is kept and overwritten, unless `old` says why not.
 * @param blob makes the blob's client, only if it is needed: an SDK client for each file costs too much
 * @param content `md5` in base64
 * @param write writes under the conditions; may be called again. `blocksThere` is set if the blob has uncommitted blocks
 * only: they count as a blob for Put Blob, but not for Put Block List
 * @throws NotStored, SendAgain
 */
export async function putBlob(
  blob: () => BlockBlobClient,
  content: { md5: string; size: number; entry: Pick<Entry, "path" | "existing">; runId: string },
  write: (conditions: BlobRequestConditions, blocksThere: boolean) => Promise<BlobWritten>,
  old: OldContent,
): Promise<PutResult> {
  const { md5, size, entry } = content;
  let { existing } = entry;
  // The listing is some time ago, and a lease may have ended since.
  if (existing?.held) existing = { ...existing, held: (await lookUp(blob()))?.held };
  let blocksThere = false;
  for (let conflicts = 0; ; conflicts++) {
    try {
      if (existing && (existing.md5 !== md5 || existing.ofAnother)) await old.keep(blob(), existing);
      const answer = await write(existing ? { ifMatch: existing.etag } : { ifNoneMatch: "*" }, blocksThere);
      old.wrote(answer);
      return { md5, size, etag: answer.etag };
    } catch (error) {
      const now = await afterConflict(error, { blob: blob(), content, existing, conflicts, old });
      if ("adopted" in now) return now;
      ({ existing, blocksThere } = now);
    }
  }
}
