import type { BlockBlobClient, BlobRequestConditions } from "@azure/storage-blob";
import { pathMark } from "../../model/path.ts";
import { classify } from "../../storage/errors.ts";
import type { Entry } from "../../model/entry.ts";
import { lookUp } from "./look-up.ts";
import { NotStored, SendAgain } from "../store.ts";
import { CLASH, isAboutBlocks } from "./not-stored.ts";
import type { OldContent } from "./old-content.ts";

/** What the blob holds now. */
export interface Put {
  /** Base64. */
  md5: string;
  size: number;
  /** Set if another attempt of this run had written the blob: its content, time and mode stand. */
  adopted?: { mtime: number; mode: number };
  /** Nothing was written, because the blob has this content already. */
  wasThere?: true;
}

/** Tries if somebody else keeps writing the blob. */
const CONFLICTS = 3;

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
  write: (conditions: BlobRequestConditions, blocksThere: boolean) => Promise<unknown>,
  old: OldContent,
): Promise<Put> {
  const { md5, size, entry, runId } = content;
  const path = pathMark(entry.path);
  let { existing } = entry;
  // The listing is some time ago, and a lease may have ended since.
  if (existing?.held) existing = { ...existing, held: (await lookUp(blob()))?.held };
  let blocksThere = false;
  for (let conflicts = 0; ; conflicts++) {
    try {
      if (existing && (existing.md5 !== md5 || existing.ofAnother)) await old.keep(blob(), existing);
      const answer = await write(existing ? { ifMatch: existing.etag } : { ifNoneMatch: "*" }, blocksThere);
      old.wrote(answer);
      return { md5, size };
    } catch (error) {
      const failure = classify(error);
      // The blob to overwrite is gone: create it.
      if (failure === "missing" && existing) existing = undefined;
      else if (failure !== "conflict") throw error;
      const now = await lookUp(blob());
      blocksThere = !now;
      const { marks } = now ?? {};
      const ofAnother = marks?.path !== undefined && marks.path !== path;
      if (marks?.run === runId && ofAnother) throw new NotStored(CLASH);
      const adopted = writtenBefore(now, runId, path);
      if (adopted) return adopted;
      if (isAboutBlocks(error)) throw new SendAgain("another program writes its blob at the same time");
      if (conflicts === CONFLICTS) throw error;
      const why = now && (await old.whyNotOver(marks?.run));
      if (why !== undefined) throw new NotStored(why);
      existing = now && { etag: now.etag, md5: now.md5, held: now.held, ofAnother };
    }
  }
}

/** What another attempt of this run has written for a path. */
function writtenBefore(now: LookedUp, runId: string, path: string): Put | undefined {
  const { marks, md5, size = 0 } = now ?? {};
  if (marks?.run !== runId || marks.path !== path || md5 === undefined) return undefined;
  return { md5, size, adopted: marks };
}

/** What a run has already written to a blob for a path, if anything. */
export async function findWritten(
  blob: BlockBlobClient,
  { entry, runId }: { entry: Pick<Entry, "path">; runId: string },
): Promise<Put | undefined> {
  return writtenBefore(await lookUp(blob), runId, pathMark(entry.path));
}

type LookedUp = Awaited<ReturnType<typeof lookUp>>;
