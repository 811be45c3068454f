import type { BlobClient, BlobItem, ContainerClient } from "@azure/storage-blob";
import { z } from "zod";
import { historyPages } from "../../storage/blob-pages.ts";
import type { ContentsPage } from "../pruning.ts";
import { storedBlob, storedBlobLine, whichIsIt, type StoredBlob } from "../stored-blob.ts";
import { readMarks } from "./blob-headers.ts";
import { lookUp } from "./look-up.ts";

/** A blob, or a snapshot or version of it. */
export interface StoredContent extends StoredBlob {
  /** The run that wrote it; absent if it has no marks. */
  run?: string;
}

export const keptLine = storedBlobLine.extend({ run: z.string().optional() });

/** Everything below a prefix, in the order of names. */
export async function* contentsBelow(
  container: ContainerClient,
  prefix: string,
  from: string | undefined,
): AsyncGenerator<ContentsPage & { contents: StoredContent[] }> {
  const options = { ...(prefix === "" ? {} : { prefix: `${prefix}/` }), includeMetadata: true };
  for await (const { blobs, next } of historyPages(container, options, { from }))
    yield { contents: blobs.map(kept), next };
}

function kept(item: BlobItem): StoredContent {
  const run = readMarks(item.metadata)?.run;
  return { ...storedBlob(item), ...(run === undefined ? {} : { run }) };
}

/** What a content is, as a message. */
export function whatIs(content: StoredContent): string {
  return `${whichIsIt(content)}, written by the run ${content.run}`;
}

/** What is there now. Without its mark, or with another run's or content, it is not what was listed. */
export async function lookAt({ run, md5 }: StoredContent, target: BlobClient) {
  const now = await lookUp(target);
  return now && { etag: now.etag, isIt: now.marks !== undefined && now.marks.run === run && now.md5 === md5 };
}
