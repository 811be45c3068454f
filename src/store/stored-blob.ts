import type { BlobClient, BlobItem, ContainerClient } from "@azure/storage-blob";
import { z } from "zod";
import type { Budget } from "../storage/budget.ts";
import { classify, describe } from "../storage/errors.ts";
import { DeleteRefused, type Content, type Erase, type NotDeleted } from "./pruning.ts";

/** A blob, or a snapshot or version of it. */
export interface StoredBlob extends Content {
  /** Set for the current blob. */
  etag?: string;
  snapshot?: string;
  versionId?: string;
}

export const storedBlobLine = z.looseObject({
  name: z.string().min(1),
  size: z.number().min(0),
  md5: z.string().optional(),
  etag: z.string().optional(),
  snapshot: z.string().optional(),
  versionId: z.string().optional(),
});

export function storedBlob({
  name,
  properties,
  snapshot,
  versionId,
  isCurrentVersion,
}: BlobItem): StoredBlob {
  const md5 = properties.contentMD5;
  const isCurrent = !snapshot && (!versionId || isCurrentVersion);
  return {
    name,
    size: properties.contentLength ?? 0,
    ...(md5 && md5.length > 0 ? { md5: Buffer.from(md5).toString("base64") } : {}),
    ...(isCurrent ? { etag: properties.etag } : {}),
    ...(snapshot ? { snapshot } : {}),
    ...(versionId ? { versionId } : {}),
  };
}

/** Which of a name's blob, snapshots and versions it is, as a message. */
export function whichIsIt({ snapshot, versionId, etag }: StoredBlob): string {
  if (snapshot !== undefined) return `the snapshot of ${snapshot}`;
  return etag === undefined ? `the version of ${versionId}` : "the blob";
}

const REFUSED_VERSION =
  "The storage account refused to delete a version. That takes the permission to delete versions: of a SAS, the letter " +
  '"x"; of the app\'s identity, the role "Storage Blob Data Owner" on the container.';
const REWRITTEN: NotDeleted = { outcome: "skipped", reason: "it was changed meanwhile" };

/** A blob as it is now. */
export interface Look {
  etag: string;
  /** It is the listed one. */
  isIt: boolean;
  /** Why it is not, if it was not changed. */
  reason?: string;
}

/**
 * Deletes a blob if it is still what was listed.
 * @param look undefined if it is gone; `isCurrent` unless it is a snapshot or version, which cannot change
 */
export async function deleteStored(
  container: ContainerClient,
  stored: StoredBlob,
  look: (target: BlobClient, isCurrent: boolean) => Promise<Look | undefined>,
  { erase, budget }: { erase: Erase; budget: Budget },
): Promise<NotDeleted | undefined> {
  const blob = container.getBlobClient(stored.name);
  try {
    for (const target of targetsOf(stored, blob)) {
      const now = await budget.request(() => look(target, target === blob));
      if (!now) continue;
      if (!now.isIt) return { ...REWRITTEN, reason: now.reason ?? REWRITTEN.reason };
      await erase(target, target === blob ? { conditions: { ifMatch: now.etag } } : {});
    }
    return undefined;
  } catch (error) {
    const failure = classify(error);
    if (failure === "refused" && stored.versionId !== undefined) throw new DeleteRefused(REFUSED_VERSION);
    if (failure === "conflict") return REWRITTEN;
    // Its run's record stays too, so that the next prune finds it.
    if (failure === "held" || failure === "invalid") return { outcome: "failed", reason: describe(error) };
    throw error;
  }
}

/** Deletes a snapshot, a version, or a blob, whose content stays as a version if the account keeps them. */
function targetsOf({ snapshot, versionId, etag }: StoredBlob, blob: BlobClient): BlobClient[] {
  if (snapshot !== undefined) return [blob.withSnapshot(snapshot)];
  return [
    ...(etag === undefined ? [] : [blob]),
    ...(versionId === undefined ? [] : [blob.withVersion(versionId)]),
  ];
}
