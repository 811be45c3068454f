import type { BlobServiceClient } from "@azure/storage-blob";
import type { Content, Pruning } from "../pruning.ts";
import { deleteStored, storedBlobLine } from "../stored-blob.ts";
import { blobsBelow, lookAt, whatIs } from "./contents.ts";
import { assertReadable, type At } from "./format.ts";
import { blobOf } from "./names.ts";
import { needsOf, PackNeeds } from "./needs.ts";
import { vacate } from "./vacate.ts";

export function pruning({ service, ...at }: At & { service: BlobServiceClient }): Pruning {
  const { container, prefix } = at;
  const kindOf = ({ name }: Content) => blobOf(prefix, name)?.kind;
  return {
    needsOf: (items, whose, budget) => needsOf(at, items, whose, budget),
    noNeeds: () => new PackNeeds(prefix),
    async *contents(from) {
      await assertReadable(at);
      for await (const { blobs, next } of blobsBelow(at, from))
        yield { contents: blobs.filter((blob) => kindOf(blob) !== undefined), next };
    },
    contentLine: storedBlobLine,
    isPiece: (content) => kindOf(content) === "C",
    whatIs: (content) => whatIs(at, content),
    delete: (content, means) =>
      deleteStored(container, content, (...target) => lookAt(at, content, ...target), means),
    settle: (found, dryRun) => vacate({ service, ...at }, found, dryRun),
  };
}
