import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { inTurns } from "../../model/in-turns.ts";
import { sumOf, type Measuring } from "../measuring.ts";
import type { Pruning } from "../pruning.ts";
import type { Store } from "../store.ts";
import { deleteStored } from "../stored-blob.ts";
import { blobKey, blobName } from "./blob-name.ts";
import { contentsBelow, keptLine, lookAt, whatIs } from "./contents.ts";
import { fetching } from "./fetching.ts";
import { FileNeeds, needLine } from "./needs.ts";
import { storing } from "./storing.ts";

/** The layout `files`: one blob per file, under the file's own name, with its history in snapshots or versions. */
export function open(at: {
  container: ContainerClient;
  prefix: string;
  service: BlobServiceClient;
  behindProxy: boolean;
}): Store {
  return { ...storing(at), ...fetching(at), ...pruning(at), ...measuring(at) };
}

function measuring({ container, prefix }: { container: ContainerClient; prefix: string }): Measuring {
  return {
    async *stored(from) {
      for await (const { contents, next } of contentsBelow(container, prefix, from)) {
        const stored = sumOf(contents, ({ run, etag }) =>
          run === undefined ? "others" : etag === undefined ? "old" : "current",
        );
        yield { stored, next };
      }
    },
  };
}

function pruning({ container, prefix }: { container: ContainerClient; prefix: string }): Pruning {
  return {
    needsOf: async (items, { kept }) =>
      await inTurns(items, ({ path, md5 }) => {
        const name = blobKey(blobName(path, prefix));
        return { name, line: needLine(name, md5 ?? "", kept) };
      }),
    noNeeds: () => new FileNeeds(),
    contents: (from) => contentsBelow(container, prefix, from),
    contentLine: keptLine,
    whatIs,
    isPiece: () => false,
    delete: (content, means) => deleteStored(container, content, (blob) => lookAt(content, blob), means),
    settle: () => Promise.resolve([]),
  };
}
