import type { BlobServiceClient } from "@azure/storage-blob";
import type { Settings } from "../settings.ts";
import * as files from "./files/layout.ts";
import * as packs from "./packs/layout.ts";
import type { Place, Store } from "./store.ts";

/** The contents of a destination, in its layout. Makes no request. */
export function openStore(
  { container, prefix, layout }: Place,
  service: BlobServiceClient,
  { behindProxy }: Pick<Settings, "behindProxy">,
): Store {
  const at = { container: service.getContainerClient(container), prefix, service, behindProxy };
  return layout === "packs" ? packs.open(at) : files.open(at);
}
