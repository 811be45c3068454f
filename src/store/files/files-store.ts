import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { inContainer, Ledger } from "../../ledger/ledger.ts";
import { forEachItem } from "../../ledger/settle-batch.ts";
import type { ManifestItem } from "../../manifest/line.ts";
import { blobKey, blobName, whyNotABlobName } from "./blob-name.ts";
import { inTurns } from "../../model/in-turns.ts";
import type { Budget } from "../../storage/budget.ts";
import { inOneAccount } from "../../storage/connect.ts";
import { ListBlobsRequests } from "../../storage/list-blobs-request.ts";
import { LEDGER_CONTAINER } from "../../model/ledger-container.ts";
import { hasOnlyRoot } from "../../ledger/destination-claim.ts";
import { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { PutBlobRequests } from "../../storage/put-blob-request.ts";
import { Lost, type Found, type Place, type Store, type Writer } from "../store.ts";
import { contentsBelow, deleteContent, keptLine, whatIs } from "./contents.ts";
import { Destination, isEmptyDestination, NOTHING_THERE } from "./destination.ts";
import { findContents } from "./find-content.ts";
import { FileNeeds, needLine } from "./needs.ts";
import { ofOneBlob } from "./not-stored.ts";
import { OldContent } from "./old-content.ts";
import { putContent, type Writing } from "./put-content.ts";
import { readContent, readSpan } from "./read-content.ts";
import { sendFile, sendSpan } from "./send-file.ts";

/** The layout `files`: one blob per file, under the file's own name, with its history in snapshots or versions. */
export class FilesStore implements Store {
  readonly #prefix: string;
  readonly #container: ContainerClient;
  readonly #service: BlobServiceClient;
  readonly #behindProxy: boolean;

  constructor({ container, prefix }: Place, service: BlobServiceClient, behindProxy: boolean) {
    this.#prefix = prefix;
    this.#container = service.getContainerClient(container);
    this.#service = service;
    this.#behindProxy = behindProxy;
  }

  whyNot(path: string): string | undefined {
    const why = whyNotABlobName(blobName(path, this.#prefix));
    return why === undefined ? undefined : `Blob Storage cannot hold it: ${why}`;
  }

  nameOf(path: string): string {
    return blobKey(path);
  }

  begin: Store["begin"] = async ({ keepVersions }, versioned) => {
    const fresh = await isEmptyDestination(this.#container, this.#prefix);
    // If the ledger is in another account, that account's versioning says nothing of this one; see OldContent.
    const itKeeps =
      versioned && inOneAccount(this.#container, this.#service.getContainerClient(LEDGER_CONTAINER));
    return { fresh, keep: !keepVersions ? "nothing" : itKeeps ? "versions" : "snapshots" };
  };

  compare: Store["compare"] = ({ run, root, basis }, how, part) => {
    if (basis.fresh) return NOTHING_THERE;
    const requests = new ListBlobsRequests(this.#container, this.#behindProxy);
    const place = { container: this.#container.containerName, prefix: this.#prefix };
    let asked: Promise<boolean> | undefined;
    const onlyRoot = () => (asked ??= hasOnlyRoot(this.#service, { ...place, root }));
    return new Destination({ run, root }, how, part, { prefix: this.#prefix, requests, onlyRoot });
  };

  put: Store["put"] = async (batch, entries, budget, work) => {
    const writing = this.#writing(batch, budget);
    return await forEachItem(entries, budget, (entry) =>
      // Create the container only if it is missing, so that permission to write blobs is enough otherwise.
      inContainer(this.#container, () =>
        work(entry, {
          content: (content) => ofOneBlob(() => putContent(entry, content, writing)),
          file: (file) => ofOneBlob(() => sendFile(entry, file, writing)),
        }),
      ),
    );
  };

  send: Store["send"] = async (writer, entry, file, upload, budget) =>
    await ofOneBlob(() => sendSpan(entry, file, upload, this.#writing(writer, budget)));

  #writing({ run, root, basis }: Writer, budget: Budget): Writing {
    return {
      runId: run,
      root,
      container: this.#container,
      prefix: this.#prefix,
      requests: new PutBlobRequests(this.#container, this.#behindProxy),
      oldContent: new OldContent(new Ledger(this.#service, run), basis.keep),
      budget,
    };
  }

  async find(items: readonly ManifestItem[]): Promise<Map<ManifestItem, Found>> {
    const where = { container: this.#container, behindProxy: this.#behindProxy };
    return await findContents(where, this.#prefix, items);
  }

  fetch: Store["fetch"] = async (items, budget, work) => {
    const reading = this.#reading(budget);
    return await forEachItem(items, budget, (item) =>
      work(item, async (take) => {
        this.#assertNameable(item);
        await readContent(item, reading, take);
      }),
    );
  };

  readSpan: Store["readSpan"] = async (item, from, until, budget, take) => {
    this.#assertNameable(item);
    return await readSpan(item, from, until, this.#reading(budget), take);
  };

  #reading(budget: Budget) {
    const requests = new GetBlobRequests(this.#container, this.#behindProxy);
    return { requests, prefix: this.#prefix, budget };
  }

  /** Refuses a name that a request would turn into another blob's. */
  #assertNameable({ path }: ManifestItem): void {
    const why = this.whyNot(path);
    if (why !== undefined) throw new Lost(why);
  }

  needsOf: Store["needsOf"] = async (items, kept) =>
    await inTurns(items, ({ path, md5 }) => {
      const name = blobKey(blobName(path, this.#prefix));
      return { name, line: needLine(name, md5, kept) };
    });

  noNeeds: Store["noNeeds"] = () => new FileNeeds();
  contents: Store["contents"] = (from) => contentsBelow(this.#container, this.#prefix, from);
  readonly contentLine = keptLine;
  readonly whatIs = whatIs;
  delete: Store["delete"] = (content, means) => deleteContent(this.#container, content, means);
}
