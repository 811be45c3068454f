import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import type { Store } from "../store.ts";
import { fetching } from "./fetching.ts";
import { measuring } from "./measuring.ts";
import { pruning } from "./pruning.ts";
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
