import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { COST_OF_FILES } from "../../ledger/cut.ts";
import { Ledger } from "../../ledger/ledger.ts";
import { hasOnlyRoot } from "../../ledger/standing-backups.ts";
import { type Budget, forEachItem } from "../../storage/budget.ts";
import { inContainer } from "../../storage/connect.ts";
import { ListBlobsRequests } from "../../storage/list-blobs-request.ts";
import { PutBlobRequests } from "../../storage/put-blob-request.ts";
import { orNotStored, type Storing, type Writer } from "../storing.ts";
import { begin } from "./begin.ts";
import { blobKey, whyNotStored } from "./blob-name.ts";
import { Destination, NOTHING_THERE } from "./destination.ts";
import { OldContent } from "./old-content.ts";
import { putContent, type Writing } from "./put-content.ts";
import { Recorded } from "./recorded.ts";
import { sendFile, sendSpan } from "./send-file.ts";

interface At {
  container: ContainerClient;
  prefix: string;
  service: BlobServiceClient;
  behindProxy: boolean;
}

export function storing({ container, prefix, service, behindProxy }: At): Storing {
  const writingOf = ({ run, root, basis }: Writer, budget: Budget): Writing => ({
    runId: run,
    root,
    container,
    prefix,
    requests: new PutBlobRequests(container, behindProxy),
    oldContent: new OldContent(new Ledger(service, run), basis.keep),
    budget,
  });
  return {
    cost: COST_OF_FILES,
    whyNot: (path) => whyNotStored(path, prefix),
    nameOf: blobKey,

    begin: async (request, ledger, versioned) =>
      await begin({ container, prefix }, request, ledger, versioned),

    compare: ({ run, root, basis }, how, part) => {
      if (basis.fresh) return NOTHING_THERE;
      const requests = new ListBlobsRequests(container, behindProxy);
      const place = { container: container.containerName, prefix };
      let asked: Promise<boolean> | undefined;
      const onlyRoot = () => (asked ??= hasOnlyRoot(service, place, root));
      const withDestination = () => new Destination({ run, root }, how, part, { prefix, requests, onlyRoot });
      return basis.base === undefined
        ? withDestination()
        : new Recorded({ service, behindProxy }, basis.base, how, withDestination);
    },

    put: async (batch, entries, budget, work) => {
      const writing = writingOf(batch, budget);
      return await forEachItem(entries, budget, (entry) =>
        // Create the container only if it is missing, so that permission to write blobs is enough otherwise.
        inContainer(container, () =>
          work(entry, {
            hash: "md5",
            content: (content) => orNotStored(() => putContent(entry, content, writing)),
            file: (file) => orNotStored(() => sendFile(entry, file, writing)),
          }),
        ),
      );
    },

    send: async (writer, entry, file, upload, budget) =>
      await orNotStored(() => sendSpan(entry, file, upload, writingOf(writer, budget))),
  };
}
