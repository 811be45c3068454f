import type { ContainerClient } from "@azure/storage-blob";
import pMap from "p-map";
import type { ManifestItem } from "../../manifest/line.ts";
import { ListBlobsRequests } from "../../storage/list-blobs-request.ts";
import type { Found } from "../fetching.ts";
import { byFolder, whyNotStored } from "./blob-name.ts";
import { blobsIn, blobsNamed, historyOf, historyOfName } from "./list-kept.ts";
import { Search } from "./search.ts";

/** Concurrent listings of directories. */
const LISTS = 8;
/** Blobs of one directory that are looked up one by one before everything below it is listed. */
const ONE_BY_ONE = 32;

/**
 * Finds the content of each item by its MD5, or else a candidate without one. First it lists each directory, 5,000 blobs a
 * call; then, for items that changed since the run, snapshots and versions. The service cannot list those by directory (it
 * takes no delimiter with them), so a directory without subdirectories is listed whole, and in any other a few blobs are
 * looked up by name. So are those of a directory with very many other blobs: the time depends on the number of items, not on
 * what else is there. Nothing is downloaded.
 */
export async function findContents(
  where: { container: ContainerClient; behindProxy: boolean },
  prefix: string,
  items: readonly ManifestItem[],
): Promise<Map<ManifestItem, Found>> {
  const { container, behindProxy } = where;
  const requests = new ListBlobsRequests(container, behindProxy);
  const found = new Map<ManifestItem, Found>();
  // A request for an invalid name would fail, and fail all items with it.
  const nameable = items.filter((item) => {
    const lost = whyNotStored(item.path, prefix);
    if (lost !== undefined) found.set(item, { lost });
    return lost === undefined;
  });
  await pMap(
    byFolder(nameable, prefix),
    async ([directory, wanted]) => {
      const search = new Search(wanted, found);
      const below = { any: false };
      // One name is looked up, whatever else is in its directory.
      const isListed = wanted.size > 1 && (await search.takePages(blobsIn(requests, directory, below)));
      if (!isListed) await search.takeNames((name) => blobsNamed(requests, name));
      const left = search.left().length;
      if (left === 0) return;
      const isWorthIt = isListed && !(below.any && left <= ONE_BY_ONE);
      if (!isWorthIt || !(await search.takePages(historyOf(container, directory))))
        await search.takeNames((name) => historyOfName(container, name));
      search.giveUp();
    },
    { concurrency: LISTS },
  );
  return found;
}
