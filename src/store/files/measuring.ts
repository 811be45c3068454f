import type { ContainerClient } from "@azure/storage-blob";
import { sumOf, type Measuring } from "../measuring.ts";
import { contentsBelow } from "./contents.ts";

export function measuring({ container, prefix }: { container: ContainerClient; prefix: string }): Measuring {
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
