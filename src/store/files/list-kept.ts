import type { BlobItem, ContainerClient } from "@azure/storage-blob";
import type { Source } from "../../model/content.ts";
import { heldByProperties, type Held } from "../../model/held.ts";
import { historyPages, listedPage } from "../../storage/blob-pages.ts";
import type { ListBlobsRequests, ListedBlob } from "../../storage/list-blobs-request.ts";

/** A listed blob, snapshot or version. */
export interface Kept {
  name: string;
  /** Base64. */
  md5: string | undefined;
  held: Held | undefined;
  source: Source;
}

/** The blobs of one directory; `below` says whether it has subdirectories. */
export async function* blobsIn(
  requests: ListBlobsRequests,
  folder: string,
  below: { any: boolean },
): AsyncGenerator<Kept[]> {
  let from: string | undefined;
  do {
    const page = await listedPage(requests, { folder, deep: false, from, withMetadata: false });
    below.any ||= page?.hasFolders === true;
    yield page?.blobs.map(listed) ?? [];
    from = page?.next;
  } while (from !== undefined);
}

/** The blob of a name, which is the first of all names with that prefix. */
export async function* blobsNamed(requests: ListBlobsRequests, name: string): AsyncGenerator<Kept[]> {
  const request = { folder: name, deep: true, most: 1, from: undefined, withMetadata: false };
  yield (await listedPage(requests, request))?.blobs.map(listed) ?? [];
}

function listed({ name, size, md5, held, etag }: ListedBlob): Kept {
  return { name, md5, held, source: { length: size, etag } };
}

/** All blobs with a prefix, with their snapshots and versions. */
export async function* historyOf(
  container: ContainerClient,
  prefix: string,
  size?: number,
): AsyncGenerator<Kept[]> {
  const pages = historyPages(container, { prefix: prefix || undefined }, size === undefined ? {} : { size });
  for await (const { blobs } of pages) yield blobs.map(kept);
}

/** Page size for one blob's snapshots and versions: there are seldom more, and a page may hold other blobs' too. */
const HISTORY_OF_ONE = 100;

export async function* historyOfName(container: ContainerClient, name: string): AsyncGenerator<Kept[]> {
  for await (const page of historyOf(container, name, HISTORY_OF_ONE)) {
    yield page;
    if (page.some((blob) => blob.name !== name)) return;
  }
}

function kept({ name, properties, snapshot, versionId, isCurrentVersion }: BlobItem): Kept {
  const { contentLength: length = 0, contentMD5, etag } = properties;
  const isCurrent = !snapshot && (!versionId || isCurrentVersion);
  const which = isCurrent ? { etag } : snapshot ? { snapshot } : { versionId };
  return {
    name,
    md5: contentMD5 && Buffer.from(contentMD5).toString("base64"),
    held: heldByProperties(properties),
    source: { length, ...which },
  };
}
