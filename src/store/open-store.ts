import type { BlobServiceClient } from "@azure/storage-blob";
import type { Settings } from "../settings.ts";
import { fetching } from "./files/fetching.ts";
import { measuring } from "./files/measuring.ts";
import { pruning } from "./files/pruning.ts";
import { storing } from "./files/storing.ts";
import type { Place, Store } from "./store.ts";

/**
 * The contents of a destination. Makes no request. There is one layout, `files`: one blob per file, under the file's own name, with its
 * history in snapshots or versions.
 */
export function openStore(
  { container, prefix }: Place,
  service: BlobServiceClient,
  { behindProxy }: Pick<Settings, "behindProxy">,
): Store {
  const at = { container: service.getContainerClient(container), prefix, service, behindProxy };
  return { ...storing(at), ...fetching(at), ...pruning(at), ...measuring(at) };
}
