import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { forEachItem } from "../../ledger/settle-batch.ts";
import type { ManifestItem } from "../../manifest/manifest.ts";
import { blobName, whyNotABlobName } from "../../model/blob-name.ts";
import { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { Lost, type Found, type Place, type Store } from "../store.ts";
import { findContents } from "./find-content.ts";
import { readContent } from "./read-content.ts";

/** The layout `files`: a blob a file under its own name, its history in snapshots or versions. */
export class FilesStore implements Store {
  readonly #container: ContainerClient;
  readonly #prefix: string;
  readonly #behindProxy: boolean;

  constructor({ container, prefix }: Place, service: BlobServiceClient, behindProxy: boolean) {
    this.#container = service.getContainerClient(container);
    this.#prefix = prefix;
    this.#behindProxy = behindProxy;
  }

  whyNot(path: string): string | undefined {
    const why = whyNotABlobName(blobName(path, this.#prefix));
    return why === undefined ? undefined : `Blob Storage cannot hold it: ${why}`;
  }

  async find(items: readonly ManifestItem[]): Promise<Map<ManifestItem, Found>> {
    return await findContents(
      { container: this.#container, behindProxy: this.#behindProxy },
      this.#prefix,
      items,
    );
  }

  fetch: Store["fetch"] = async (items, budget, work) => {
    const requests = new GetBlobRequests(this.#container, this.#behindProxy);
    return await forEachItem(items, budget, (item) =>
      work(item, async (take) => {
        const why = this.whyNot(item.path);
        if (why !== undefined) throw new Lost(why);
        await readContent(item, { requests, prefix: this.#prefix, budget }, take);
      }),
    );
  };
}
