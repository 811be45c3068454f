import type { BlobClient } from "@azure/storage-blob";
import { historyPages } from "../../storage/blob-pages.ts";
import { classify } from "../../storage/errors.ts";
import { readChecked } from "../../storage/read-checked.ts";
import { Corrupt, Lost } from "../fetching.ts";
import { storedBlob, whichIsIt, type Look, type StoredBlob } from "../stored-blob.ts";
import type { At } from "./format.ts";
import { assertHead, BLOB_HEAD, type BlobKind } from "./frame.ts";
import { below, blobOf } from "./names.ts";
import { TRAILER } from "./pack-writer.ts";

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

/**
 * The blob as it is now. It is the listed one if the current blob is unchanged, and begins as the product's blobs do. A pack whose
 * beginning is damaged is known by its end.
 */
export async function lookAt(
  { prefix }: At,
  { name, size, etag: listed }: StoredBlob,
  target: BlobClient,
  isCurrent: boolean,
): Promise<Look | undefined> {
  const kind = blobOf(prefix, name)?.kind ?? "P";
  try {
    const { content, etag } = await readChecked(target, { offset: 0, length: BLOB_HEAD });
    // A listing has it without quotes.
    if (isCurrent && etag.replaceAll('"', "") !== listed?.replaceAll('"', "")) return { etag, isIt: false };
    await assertOurs(content, kind, target, size);
    return { etag, isIt: true };
  } catch (error) {
    const failure = classify(error);
    if (failure === "missing") return undefined;
    // Archived blobs cannot be read: their name counts.
    if (failure === "held") return { etag: listed ?? "", isIt: true };
    if (error instanceof Corrupt || failure === "invalid") {
      const what = kind === "P" ? "pack" : "chunk";
      const reason = `kept: it does not begin as a ${what} does; others may have put it there`;
      return { etag: "", isIt: false, reason };
    }
    if (error instanceof Lost) return { etag: "", isIt: false, reason: `kept: ${error.message}` };
    throw error;
  }
}

/** @throws Lost */
async function assertOurs(head: Buffer, kind: BlobKind, target: BlobClient, size: number): Promise<void> {
  try {
    assertHead(head, kind);
  } catch (error) {
    if (!(error instanceof Corrupt && kind === "P" && (await endsAsPack(target, size)))) throw error;
  }
}

/** Whether the last bytes of a blob say of a footer that it ends where they begin. */
async function endsAsPack(target: BlobClient, size: number): Promise<boolean> {
  const offset = size - TRAILER;
  if (offset < BLOB_HEAD) return false;
  const { content } = await readChecked(target, { offset, length: TRAILER });
  if (content.length < TRAILER) return false;
  const footer = Number(content.readBigUInt64LE());
  return footer >= BLOB_HEAD && footer + content.readUInt32LE(8) === offset;
}
