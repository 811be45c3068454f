import type { BlobServiceClient } from "@azure/storage-blob";
import type { Store } from "../store.ts";
import { fetching } from "./fetching.ts";
import type { At } from "./format.ts";
import { measuring } from "./measuring.ts";
import { pruning } from "./pruning.ts";
import { storing } from "./storing.ts";

/** The layout `packs`: many contents in a blob, larger files in chunks named by their content. See docs/format.md. */
export function open(at: At & { service: BlobServiceClient }): Store {
  return { ...storing(at), ...fetching(at), ...pruning(at), ...measuring(at) };
}
