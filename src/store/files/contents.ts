import type { BlobClient, BlobItem, ContainerClient } from "@azure/storage-blob";
import { z } from "zod";
import { historyPages } from "../../storage/blob-pages.ts";
import type { Budget } from "../../storage/budget.ts";
import { classify, describe } from "../../storage/errors.ts";
import { DeleteRefused, type Content, type ContentsPage, type Erase, type NotDeleted } from "../pruning.ts";
import { readMarks } from "./blob-headers.ts";
import { lookUp } from "./look-up.ts";

/** A blob, or a snapshot or version of it. */
export interface Kept extends Content {
  /** The run that wrote it; absent if it has no marks. */
  run?: string;
  /** Set for the current blob. */
  etag?: string;
  snapshot?: string;
  versionId?: string;
}

export const keptLine = z.looseObject({
  name: z.string().min(1),
  size: z.number().min(0),
  md5: z.string().optional(),
  run: z.string().optional(),
  etag: z.string().optional(),
  snapshot: z.string().optional(),
  versionId: z.string().optional(),
});

/** Everything below a prefix, in the order of names. */
export async function* contentsBelow(
  container: ContainerClient,
  prefix: string,
  from: string | undefined,
): AsyncGenerator<ContentsPage & { contents: Kept[] }> {
  const options = { ...(prefix === "" ? {} : { prefix: `${prefix}/` }), includeMetadata: true };
  for await (const { blobs, next } of historyPages(container, options, { from }))
    yield { contents: blobs.map(kept), next };
}

function kept({ name, metadata, properties, snapshot, versionId, isCurrentVersion }: BlobItem): Kept {
  const md5 = properties.contentMD5;
  const run = readMarks(metadata)?.run;
  const isCurrent = !snapshot && (!versionId || isCurrentVersion);
  return {
    name,
    size: properties.contentLength ?? 0,
    ...(md5 && md5.length > 0 ? { md5: Buffer.from(md5).toString("base64") } : {}),
    ...(run === undefined ? {} : { run }),
    ...(isCurrent ? { etag: properties.etag } : {}),
    ...(snapshot ? { snapshot } : {}),
    ...(versionId ? { versionId } : {}),
  };
}

/** What a content is, as a message. */
export function whatIs({ snapshot, versionId, etag, run }: Kept): string {
  const version = etag === undefined ? `the version of ${versionId}` : "the blob";
  return `${snapshot === undefined ? version : `the snapshot of ${snapshot}`}, written by the run ${run}`;
}

const REFUSED_VERSION =
  "The storage account refused to delete a version. That takes the permission to delete versions: of a SAS, the letter " +
  '"x"; of the app\'s identity, the role "Storage Blob Data Owner" on the container.';
const REWRITTEN: NotDeleted = { outcome: "skipped", reason: "somebody has written it meanwhile" };

/** Deletes a content if it is still what was listed; without its mark, or with another run's or content, it stays. */
export async function deleteContent(
  container: ContainerClient,
  content: Kept,
  { erase, budget }: { erase: Erase; budget: Budget },
): Promise<NotDeleted | undefined> {
  const blob = container.getBlobClient(content.name);
  try {
    for (const target of targetsOf(content, blob)) {
      const now = await budget.request(() => lookUp(target));
      if (!now) continue;
      if (now.marks === undefined || now.marks.run !== content.run || now.md5 !== content.md5)
        return REWRITTEN;
      await erase(target, target === blob ? { conditions: { ifMatch: now.etag } } : {});
    }
    return undefined;
  } catch (error) {
    const failure = classify(error);
    if (failure === "refused" && content.versionId !== undefined) throw new DeleteRefused(REFUSED_VERSION);
    if (failure === "conflict") return REWRITTEN;
    // Its run's record stays too, so that the next prune finds it.
    if (failure === "held" || failure === "invalid") return { outcome: "failed", reason: describe(error) };
    throw error;
  }
}

/** Deletes a snapshot, a version, or a blob, whose content stays as a version if the account keeps them. */
function targetsOf({ snapshot, versionId, etag }: Kept, blob: BlobClient): BlobClient[] {
  if (snapshot !== undefined) return [blob.withSnapshot(snapshot)];
  return [
    ...(etag === undefined ? [] : [blob]),
    ...(versionId === undefined ? [] : [blob.withVersion(versionId)]),
  ];
}
