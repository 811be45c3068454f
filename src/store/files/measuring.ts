import type { ContainerClient } from "@azure/storage-blob";
import type { Amount, Measuring, Stored } from "../measuring.ts";
import { contentsBelow, type Kept } from "./contents.ts";

export function measuring({ container, prefix }: { container: ContainerClient; prefix: string }): Measuring {
  return {
    async *stored(from) {
      for await (const { contents, next } of contentsBelow(container, prefix, from))
        yield { stored: sumOf(contents), next };
    },
  };
}

function sumOf(contents: readonly Kept[]): Stored {
  const none = (): Amount => ({ blobs: 0, bytes: 0 });
  const stored: Stored = { current: none(), old: none(), others: none() };
  for (const { run, etag, size } of contents) {
    const amount = stored[run === undefined ? "others" : etag === undefined ? "old" : "current"];
    amount.blobs++;
    amount.bytes += size;
  }
  return stored;
}
