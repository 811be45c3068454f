import { sumOf, type Measuring } from "../measuring.ts";
import { blobsBelow } from "./contents.ts";
import type { At } from "./format.ts";
import { below, blobOf } from "./names.ts";

export function measuring(at: At): Measuring {
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
