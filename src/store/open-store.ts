import type { BlobServiceClient } from "@azure/storage-blob";
import type { Settings } from "../settings.ts";
import { FilesStore } from "./files/files-store.ts";
import type { Place, Store } from "./store.ts";

/** The contents of a destination. Makes no request. */
export function openStore(
  place: Place,
  service: BlobServiceClient,
  settings: Pick<Settings, "behindProxy">,
): Store {
  return new FilesStore(place, service, settings.behindProxy);
}
