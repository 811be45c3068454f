import type { ContainerClient } from "@azure/storage-blob";
import { inTurns } from "../../model/in-turns.ts";
import type { Pruning } from "../pruning.ts";
import { deleteStored } from "../stored-blob.ts";
import { blobKey, blobName } from "./blob-name.ts";
import { contentsBelow, keptLine, lookAt, whatIs } from "./contents.ts";
import { FileNeeds, needLine } from "./needs.ts";

export function pruning({ container, prefix }: { container: ContainerClient; prefix: string }): Pruning {
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
