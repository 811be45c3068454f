import type { ContainerClient } from "@azure/storage-blob";
import type { ManifestItem } from "../../manifest/line.ts";
import { forEachItem } from "../../storage/budget.ts";
import { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { Lost, type Fetching } from "../fetching.ts";
import { whyNotStored } from "./blob-name.ts";
import { findContents } from "./find-content.ts";
import { readContent } from "./read-content.ts";
import { readSpan, streamContent } from "./stream-content.ts";

interface At {
  container: ContainerClient;
  prefix: string;
  behindProxy: boolean;
}

export function fetching({ container, prefix, behindProxy }: At): Fetching {
  const reading = { requests: new GetBlobRequests(container, behindProxy), prefix };
  /** Refuses a name that a request would turn into another blob's. */
  const assertNameable = ({ path }: ManifestItem): void => {
    const why = whyNotStored(path, prefix);
    if (why !== undefined) throw new Lost(why);
  };
  return {
    arrange: (items) => items,
    find: (items) => findContents({ container, behindProxy }, prefix, items),

    fetch: (items, budget, work) =>
      forEachItem(items, budget, (item) =>
        work(item, async (take) => {
          assertNameable(item);
          await readContent(item, { ...reading, budget }, take);
        }),
      ),

    async *stream(item, part) {
      assertNameable(item);
      yield* streamContent(item, reading, part);
    },

    readSpan: async (item, from, until, budget, take) => {
      assertNameable(item);
      return await readSpan(item, from, until, { ...reading, budget }, take);
    },

    avoid: async () => {},
  };
}
