import pMap from "p-map";
import { heldByProperties, type Held } from "../../model/held.ts";
import { listedPage } from "../../storage/blob-pages.ts";
import { ListBlobsRequests, type ListedBlob } from "../../storage/list-blobs-request.ts";
import { propertiesOf } from "../../storage/read-checked.ts";
import type { At } from "./format.ts";

/** A blob as it is now. */
export interface There {
  etag: string;
  size: number;
  held?: Held | undefined;
}

/** Concurrent requests. */
const LOOKS = 16;
/** The most names in one folder to look up one by one; for more, the folder is listed. */
const ONE_BY_ONE = 8;

/** Looks up blobs, with few requests where many are in one folder. Missing ones are not in the map. */
export async function lookUpBlobs(at: At, names: Iterable<string>): Promise<Map<string, There>> {
  const there = new Map<string, There>();
  await pMap(
    Map.groupBy(names, folderOf),
    async ([folder, wanted]) => {
      if (wanted.length <= ONE_BY_ONE) {
        for (const name of wanted) {
          const found = await lookUp(at, name);
          if (found) there.set(name, found);
        }
        return;
      }
      const some = new Set(wanted);
      for await (const blobs of listFolder(at, folder))
        for (const blob of blobs) if (some.has(blob.name)) there.set(blob.name, blob);
    },
    { concurrency: LOOKS },
  );
  return there;
}

/** Looks up a blob; undefined if there is none. */
export async function lookUp({ container }: Pick<At, "container">, name: string): Promise<There | undefined> {
  const now = await propertiesOf(container.getBlobClient(name));
  return now && { etag: now.etag ?? "", size: now.contentLength ?? 0, held: heldByProperties(now) };
}

/** All blobs below a folder, in pages of 5,000; none if there is no container. @param folder ends in `/` */
export async function* listFolder(
  { container, behindProxy }: At,
  folder: string,
): AsyncGenerator<ListedBlob[], void> {
  const requests = new ListBlobsRequests(container, behindProxy);
  let next: string | undefined;
  do {
    const page = await listedPage(requests, { folder, deep: true, from: next, withMetadata: false });
    yield page?.blobs ?? [];
    next = page?.next;
  } while (next !== undefined);
}

function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf("/") + 1);
}
