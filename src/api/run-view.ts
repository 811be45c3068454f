import type { BlobServiceClient } from "@azure/storage-blob";
import { isPostdated } from "../ledger/good-run.ts";
import type { RunSummary } from "../ledger/run-index.ts";
import { layoutIn } from "../model/names.ts";
import { pathOf } from "./parameters.ts";
import type { RunSummaryView } from "./schema.ts";

/** A run's record as callers see it. Links are paths, so they work under any host name. */
export function viewOf(service: BlobServiceClient, record: RunSummary): RunSummaryView {
  const {
    id,
    app,
    kind = "backup",
    of,
    dryRun,
    root,
    container,
    prefix,
    mode,
    status,
    started,
    finished,
    counts,
    throttled,
    suspect,
    brokenOff,
    forgotten,
  } = record;
  const self = pathOf(id);
  return {
    id,
    ...(app === undefined ? {} : { app }),
    kind,
    ...(of === undefined ? {} : { of }),
    ...(dryRun === undefined ? {} : { dryRun }),
    root,
    destination: { container, prefix, url: addressOf(service, container, prefix) },
    layout: layoutIn(record),
    mode,
    status,
    started,
    ...(finished === undefined ? {} : { finished }),
    ...(counts === undefined ? {} : { counts, bytes: counts.bytes }),
    ...(throttled === undefined ? {} : { throttled }),
    ...(suspect ? { suspect } : {}),
    ...(brokenOff ? { brokenOff } : {}),
    ...(isPostdated(record) ? { postdated: true } : {}),
    ...(forgotten === undefined ? {} : { forgotten }),
    links: {
      self,
      files: `${self}/files`,
      failed: `${self}/files?outcome=failed`,
      ...(kind === "backup" ? { tree: `${self}/tree` } : {}),
      ...(status === "running" ? { cancel: `${self}/cancel` } : {}),
    },
  };
}

/** Without the query, which would contain a SAS's signature. */
function addressOf(service: BlobServiceClient, container: string, prefix: string): string {
  const url = new URL(service.getContainerClient(container).url);
  const folder = prefix === "" ? "" : `/${prefix.split("/").map(encodeURIComponent).join("/")}`;
  return `${url.origin}${url.pathname}${folder}`;
}
