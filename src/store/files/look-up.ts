import type { BlobClient, BlobItem, ContainerClient } from "@azure/storage-blob";
import { z } from "zod";
import { heldByProperties } from "../../model/held.ts";
import { historyPages } from "../../storage/blob-pages.ts";
import { propertiesOf } from "../../storage/read-checked.ts";
import type { ContentsPage } from "../pruning.ts";
import { storedBlob, type StoredBlob, storedBlobLine, whichIsIt } from "../stored-blob.ts";
import { type Marks, readMarks } from "./blob-headers.ts";

/** What a blob holds after it was written. */
export interface Put {
  /** Base64. */
  md5: string;
  size: number;
  etag: string | undefined;
  /** Set if another attempt of this run had written the blob: its content, times and mode stand. */
  adopted?: Pick<Marks, "mtime" | "ctime" | "mode">;
  /** Nothing was written, because the blob has this content already. */
  wasThere?: true;
}

/** A blob, or a snapshot or version of it. */
export interface Kept extends StoredBlob {
  /** The run that wrote it; absent if it has no marks. */
  run?: string;
}

/** What a blob is now; undefined if there is none. */
export async function lookUp(blob: BlobClient) {
  const now = await propertiesOf(blob);
  if (!now) return undefined;
  const { etag = "", contentLength: size = 0, contentMD5 } = now;
  const md5 = contentMD5 && Buffer.from(contentMD5).toString("base64");
  return { etag, size, md5, held: heldByProperties(now), marks: readMarks(now.metadata) };
}

export const keptLine = storedBlobLine.extend({ run: z.string().optional() });

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

function kept(item: BlobItem): Kept {
  const run = readMarks(item.metadata)?.run;
  return { ...storedBlob(item), ...(run === undefined ? {} : { run }) };
}

/** What a content is, as a message. */
export function whatIs(content: Kept): string {
  return `${whichIsIt(content)}, written by the run ${content.run}`;
}

/** What is there now. Without its mark, or with another run's or content, it is not what was listed. */
export async function lookAt({ run, md5 }: Kept, target: BlobClient) {
  const now = await lookUp(target);
  return now && { etag: now.etag, isIt: now.marks !== undefined && now.marks.run === run && now.md5 === md5 };
}
