import type { ContainerClient } from "@azure/storage-blob";
import { findBase } from "../../ledger/find-base.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { ComparedWith } from "../../ledger/run-record.ts";
import { LEDGER_CONTAINER } from "../../model/names.ts";
import { createContainer, inOneAccount } from "../../storage/connect.ts";
import { classify } from "../../storage/errors.ts";
import { withRetries } from "../../storage/retries.ts";
import type { Storing, Wanted } from "../storing.ts";

/** Finds out whether anything is at the destination, how old contents are kept there, and what to compare with. */
export async function begin(
  { container, prefix }: { container: ContainerClient; prefix: string },
  request: Wanted,
  ledger: Ledger,
  versioned: boolean,
): ReturnType<Storing["begin"]> {
  const [fresh, found] = await Promise.all([
    isEmptyDestination(container, prefix),
    request.compareWith === "record" ? findBase(ledger, request) : undefined,
  ]);
  // If the ledger is in another account, that account's versioning says nothing of this one; see OldContent.
  const ledgers = ledger.service.getContainerClient(LEDGER_CONTAINER);
  const itKeeps = versioned && inOneAccount(container, ledgers);
  const keep = !request.keepVersions ? "nothing" : itKeeps ? "versions" : "snapshots";
  if (!found) return { basis: { fresh, keep } };
  const comparedWith: ComparedWith = fresh ? { destination: true, because: "it is empty" } : found;
  const base = "run" in comparedWith ? { base: comparedWith.run } : {};
  return { basis: { fresh, keep, ...base }, comparedWith };
}

/** Whether the destination is empty, so that a first backup need not list it. Creates the container if it is missing. */
async function isEmptyDestination(container: ContainerClient, prefix: string): Promise<boolean> {
  try {
    return await withRetries(async (abortSignal) => {
      const blobs = container.listBlobsFlat({
        prefix: prefix === "" ? undefined : `${prefix}/`,
        abortSignal,
      });
      // The service may answer with pages in which there is nothing, and go on.
      for await (const { segment } of blobs.byPage({ maxPageSize: 1 }))
        if (segment.blobItems.length > 0) return false;
      return true;
    });
  } catch (error) {
    if (classify(error) !== "missing") throw error;
    await createContainer(container);
    return true;
  }
}
