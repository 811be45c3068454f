import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { forEachItem } from "../../ledger/settle-batch.ts";
import type { ManifestItem } from "../../manifest/line.ts";
import { blobKey, blobName, whyNotABlobName } from "../../model/blob-name.ts";
import { inTurns } from "../../model/in-turns.ts";
import type { Budget } from "../../storage/budget.ts";
import { GetBlobRequests } from "../../storage/get-blob-request.ts";
import {
  Lost,
  type ContentsPage,
  type Erase,
  type Found,
  type NotDeleted,
  type Place,
  type Store,
} from "../store.ts";
import { contentsBelow, deleteContent, keptLine, whatIs, type Kept } from "./contents.ts";
import { within } from "./download.ts";
import { findContents } from "./find-content.ts";
import { FileNeeds, needLine } from "./needs.ts";
import { readContent, readFrom, type Means } from "./read-content.ts";

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
    const means = this.#means(budget);
    return await forEachItem(items, budget, (item) =>
      work(item, async (take) => {
        this.#assertName(item);
        await readContent(item, means, take);
      }),
    );
  };

  fetchFrom: Store["fetchFrom"] = async (item, budget, { from, ms }, take) => {
    this.#assertName(item);
    return await readFrom(item, this.#means(budget), { from, more: within(from, ms) }, take);
  };

  async needsOf(items: readonly ManifestItem[], kept: boolean): Promise<{ name: string; line: string }[]> {
    return await inTurns(items, ({ path, md5 }) => {
      const name = blobKey(blobName(path, this.#prefix));
      return { name, line: needLine(name, md5, kept) };
    });
  }

  noNeeds(): FileNeeds {
    return new FileNeeds();
  }

  contents(from: string | undefined): AsyncGenerator<ContentsPage> {
    return contentsBelow(this.#container, this.#prefix, from);
  }

  readonly contentLine = keptLine;
  readonly whatIs = whatIs;

  async delete(content: Kept, means: { erase: Erase; budget: Budget }): Promise<NotDeleted | undefined> {
    return await deleteContent(this.#container, content, means);
  }

  #means(budget: Budget): Means {
    const requests = new GetBlobRequests(this.#container, this.#behindProxy);
    return { requests, prefix: this.#prefix, budget };
  }

  #assertName({ path }: ManifestItem): void {
    const why = this.whyNot(path);
    if (why !== undefined) throw new Lost(why);
  }
}
