import type { BlobServiceClient } from "@azure/storage-blob";
import { listLines } from "./list-lines.ts";
import { deletedName, type DeletedPage, type DeletedQuery } from "./schema.ts";
import { DELETED } from "../ledger/names.ts";

/**
 * A page of the names that a restore removed from its directory (in a dry run: that it would remove), in the order they
 * were removed. Of any other run there are none.
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
    // Beside each list is the slice's tally.
    skips: ({ name }) => !name.endsWith(".jsonl"),
    wants: () => true,
  });
  return { run, deleted: items, ...more };
}
