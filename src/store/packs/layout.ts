import type { BlobServiceClient } from "@azure/storage-blob";
import { sumOf, type Measuring } from "../measuring.ts";
import type { Content, Pruning } from "../pruning.ts";
import type { Store } from "../store.ts";
import { deleteStored, storedBlobLine } from "../stored-blob.ts";
import { blobsBelow, lookAt, whatIs } from "./contents.ts";
import { fetching } from "./fetching.ts";
import { assertReadable, type At } from "./format.ts";
import { below, blobOf } from "./names.ts";
import { needsOf, PackNeeds } from "./needs.ts";
import { storing } from "./storing.ts";
import { vacate } from "./vacate.ts";

/** The layout `packs`: many contents in a blob, larger files in chunks named by their content. See docs/format.md. */
export function open(at: At & { service: BlobServiceClient }): Store {
  return { ...storing(at), ...fetching(at), ...pruning(at), ...measuring(at) };
}

function measuring(at: At): Measuring {
  const isOurs = (name: string): boolean =>
    blobOf(at.prefix, name) !== undefined || name === below(at.prefix, "format.json");
  return {
    async *stored(from) {
      for await (const { blobs, next } of blobsBelow(at, from)) {
        const stored = sumOf(blobs, ({ name, etag }) =>
          isOurs(name) ? (etag === undefined ? "old" : "current") : "others",
        );
        yield { stored, next };
      }
    },
  };
}

function pruning({ service, ...at }: At & { service: BlobServiceClient }): Pruning {
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
