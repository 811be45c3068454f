import type { BlobServiceClient } from "@azure/storage-blob";
import { listLines } from "./list-lines.ts";
import { deletedName, type DeletedPage } from "./schema.ts";
import type { DeletedQuery } from "./query-schema.ts";
import { DELETED } from "../ledger/names.ts";

/**
 * A page of the names that a restore removed from its directory (a dry run: would remove), in the order of removal.
 * Empty for any other run.
 * @throws BadContinuation
 */
export async function listDeleted(
  service: BlobServiceClient,
  run: string,
  query: DeletedQuery,
): Promise<DeletedPage> {
  const { items, ...more } = await listLines(service, run, query, {
    folder: DELETED,
    schema: deletedName,
    // Each list has the tally of its slice beside it.
    skips: ({ name }) => !name.endsWith(".jsonl"),
    wants: () => true,
  });
  return { run, deleted: items, ...more };
}
