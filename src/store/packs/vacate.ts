import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { readChecked } from "../../storage/read-checked.ts";
import { Lost } from "../fetching.ts";
import type { Sparse } from "../pruning.ts";
import type { StoredBlob } from "../stored-blob.ts";
import { changeAvoid } from "./avoid.ts";
import type { At } from "./format.ts";
import { BLOB_HEAD } from "./frame.ts";
import { blobOf } from "./names.ts";
import { TRAILER } from "./pack-writer.ts";
import { lostBlob } from "./read-pack.ts";

/** Concurrent reads of packs' trailers. */
const LOOKS = 16;

/** Marks packs that are less than half needed, so that later backups store their contents anew; drops deleted blobs. */
export async function vacate(
  { service, ...at }: At & { service: BlobServiceClient },
  { sparse, gone }: { sparse: readonly Sparse[]; gone: readonly StoredBlob[] },
  dryRun: boolean,
): Promise<StoredBlob[]> {
  const looks = await pMap(sparse, async (it) => ((await isSparse(at, it)) ? [it.content] : []), {
    concurrency: LOOKS,
  });
  const found = looks.flat();
  if (dryRun || (found.length === 0 && gone.length === 0)) return found;
  const idsOf = (blobs: readonly StoredBlob[]) =>
    blobs.flatMap(({ name }) => blobOf(at.prefix, name)?.id ?? []);
  const away = new Set(idsOf(gone.filter(({ etag }) => etag !== undefined)));
  const isThere = (id: string): boolean => !away.has(id);
  await changeAvoid({ service, ...at }, ({ packs, chunks }) => {
    const more = idsOf(found).filter((id) => !packs.includes(id));
    if (more.length === 0 && packs.every(isThere) && chunks.every(isThere)) return undefined;
    return { packs: [...packs, ...more], chunks };
  });
  return found;
}

/** Whether less than half of what a pack holds is needed, its footer not counted. */
async function isSparse({ container }: At, { content, needed }: Sparse): Promise<boolean> {
  const offset = content.size - TRAILER;
  if (offset < BLOB_HEAD) return false;
  try {
    const range = { offset, length: TRAILER };
    const { content: trailer } = await readChecked(container.getBlobClient(content.name), range);
    const footer = Number(trailer.readBigUInt64LE());
    return footer <= offset && 2 * needed < footer - BLOB_HEAD;
  } catch (error) {
    // It was archived or changed.
    if (lostBlob(content.name, error) instanceof Lost) return false;
    throw error;
  }
}
