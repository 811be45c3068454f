import type { BlobClient } from "@azure/storage-blob";
import { historyPages } from "../../storage/blob-pages.ts";
import { classify } from "../../storage/errors.ts";
import { readChecked } from "../../storage/read-checked.ts";
import { Lost } from "../fetching.ts";
import { storedBlob, whichIsIt, type StoredBlob } from "../stored-blob.ts";
import type { At } from "./format.ts";
import { assertHead, BLOB_HEAD } from "./frame.ts";
import { below, blobOf } from "./names.ts";

/** All blobs of a destination, with snapshots and versions, in the order of names. */
export async function* blobsBelow(
  { container, prefix }: At,
  from: string | undefined,
): AsyncGenerator<{ blobs: StoredBlob[]; next: string | undefined }> {
  const top = below(prefix, "");
  for await (const { blobs, next } of historyPages(container, top === "" ? {} : { prefix: top }, { from }))
    yield { blobs: blobs.map(storedBlob), next };
}

/** What a pack or chunk is, as a message. */
export function whatIs({ prefix }: At, stored: StoredBlob): string {
  const blob = blobOf(prefix, stored.name);
  const what = blob?.kind === "P" ? `a pack of the run ${blob.id.split("/", 1)[0]}` : "a chunk";
  return stored.etag === undefined ? `${whichIsIt(stored)} of ${what}` : what;
}

/** The blob as it is now. It is the listed one if it begins as the product's blobs do, and the current blob is unchanged. */
export async function lookAt(
  { prefix }: At,
  { name, etag: listed }: StoredBlob,
  target: BlobClient,
  isCurrent: boolean,
): Promise<{ etag: string; isIt: boolean } | undefined> {
  try {
    const { content, etag } = await readChecked(target, { offset: 0, length: BLOB_HEAD });
    assertHead(content, blobOf(prefix, name)?.kind ?? "P");
    // A listing has it without quotes.
    return { etag, isIt: !isCurrent || etag.replaceAll('"', "") === listed?.replaceAll('"', "") };
  } catch (error) {
    const failure = classify(error);
    if (failure === "missing") return undefined;
    // Archived blobs cannot be read: their name counts.
    if (failure === "held") return { etag: listed ?? "", isIt: true };
    if (error instanceof Lost || failure === "invalid") return { etag: "", isIt: false };
    throw error;
  }
}
