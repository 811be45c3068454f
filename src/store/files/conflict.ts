import type { BlockBlobClient, RestError } from "@azure/storage-blob";
import type { Entry } from "../../model/entry.ts";
import { pathMark } from "../../model/path.ts";
import { classify } from "../../storage/errors.ts";
import { NotStored, SendAgain } from "../storing.ts";
import { lookUp, type PutResult } from "./look-up.ts";
import type { OldContent } from "./old-content.ts";

/** Why only one of two files with the same blob is backed up. */
export const CLASH =
  'its blob is that of another file or empty directory of this backup, as Blob Storage turns "\\" into "/"; rename one of them';

/** Further tries if somebody else keeps writing the blob. */
const CONFLICTS = 3;

type Existing = Entry["existing"];

type Adopted = PutResult & Required<Pick<PutResult, "adopted">>;
type LookedUp = Awaited<ReturnType<typeof lookUp>>;

/**
 * What to do when the blob was not the one that was to be overwritten.
 * @returns what another attempt of the run wrote, which stands; or what to write over now
 * @throws NotStored, SendAgain; `error` where it is about something else, or there were too many conflicts
 */
export async function afterConflict(
  error: unknown,
  attempt: {
    blob: BlockBlobClient;
    content: { entry: Pick<Entry, "path">; runId: string };
    existing: Existing;
    conflicts: number;
    old: OldContent;
  },
): Promise<Adopted | { existing: Existing; blocksThere: boolean }> {
  const { blob, content, existing, conflicts, old } = attempt;
  const failure = classify(error);
  // The blob to overwrite is gone: create it.
  const isGone = failure === "missing" && existing !== undefined;
  if (!isGone && failure !== "conflict") throw error;
  const { entry, runId } = content;
  const path = pathMark(entry.path);
  const now = await lookUp(blob);
  const { marks } = now ?? {};
  const ofAnother = marks?.path !== undefined && marks.path !== path;
  if (marks?.run === runId && ofAnother) throw new NotStored(CLASH);
  const adopted = writtenBefore(now, runId, path);
  if (adopted) return adopted;
  if (isAboutBlocks(error)) throw new SendAgain("another program writes its blob at the same time");
  if (conflicts === CONFLICTS) throw error;
  const why = now && (await old.whyNotOver(marks?.run));
  if (why !== undefined) throw new NotStored(why);
  const { etag, md5, held } = now ?? {};
  return {
    existing: etag === undefined ? undefined : { etag, md5, held, ofAnother },
    blocksThere: !now,
  };
}

/** What another attempt of this run has written for a path. */
function writtenBefore(now: LookedUp, runId: string, path: string): Adopted | undefined {
  const { marks, md5, size = 0, etag } = now ?? {};
  if (marks?.run !== runId || marks.path !== path || md5 === undefined) return undefined;
  return { md5, size, etag, adopted: marks };
}

/** What a run has already written to a blob for a path, if anything. */
export async function findWritten(
  blob: BlockBlobClient,
  { entry, runId }: { entry: Pick<Entry, "path">; runId: string },
): Promise<PutResult | undefined> {
  return writtenBefore(await lookUp(blob), runId, pathMark(entry.path));
}

/** Whether a request failed because of uncommitted blocks: somebody else's, or ones that have been discarded. */
export function isAboutBlocks(error: unknown): boolean {
  return ["InvalidBlockList", "InvalidBlobOrBlock"].includes((error as RestError).code ?? "");
}
