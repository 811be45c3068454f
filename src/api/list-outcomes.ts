import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { fencesFromMetadata } from "../ledger/metadata.ts";
import { DELETED, isOfDirectories, OUTCOMES_FOLDER } from "../ledger/names.ts";
import { mayHold } from "../manifest/piece.ts";
import { ownHash } from "../model/content.ts";
import { allWithin } from "../model/order.ts";
import { isPacked, type Packed } from "../model/packed.ts";
import { isWithin, parsePath } from "../model/path.ts";
import { listLines } from "./list-ledger.ts";
import type { DeletedQuery, FilesQuery } from "./query-schema.ts";
import { deletedName, fileOutcome, type DeletedPage, type FileOutcome, type FilePage } from "./schema.ts";

const outcomeLine = fileOutcome
  .extend({ packed: z.custom<Packed>(isPacked).optional() })
  .transform(({ md5, packed, ...line }): FileOutcome => ({ ...line, ...ownHash({ md5, packed }) }));

/**
 * A page of a run's files with their outcomes, in ledger order. A page may be short, or empty, and still have a
 * continuation. While the run is in progress, files may be added before the place where a page ended.
 * @throws BadContinuation
 */
export async function listFiles(
  service: BlobServiceClient,
  run: string,
  query: FilesQuery,
): Promise<FilePage> {
  const top = query.path === undefined ? "" : parsePath(query.path);
  const ranges = allWithin(top);
  const { items, ...more } = await listLines(service, run, query, {
    folder: OUTCOMES_FOLDER,
    schema: outcomeLine,
    skips: ({ name, metadata }) =>
      isOfDirectories(name) ||
      hasNone(metadata, query.outcome) ||
      !mayHold(fencesFromMetadata(metadata), ranges),
    wants: (file) => isWithin(file.path, top) && isWanted(file, query),
  });
  return { run, files: items, ...more };
}

/**
 * Whether a record has no file with an outcome, by its counts. Directories that did not fail are counted separately.
 */
function hasNone(counts: Record<string, string> | undefined, outcome: FilesQuery["outcome"]): boolean {
  if (!outcome || counts?.[outcome] !== "0") return false;
  return outcome === "failed" || counts["directories"] === "0";
}

function isWanted(file: FileOutcome, { outcome, prefix, text }: FilesQuery): boolean {
  return (
    (outcome === undefined || file.outcome === outcome) &&
    (!prefix || file.path.startsWith(prefix)) &&
    (!text || contains(file.path, text) || contains(file.reason ?? "", text))
  );
}

function contains(whole: string, part: string): boolean {
  return whole.toLowerCase().includes(part.toLowerCase());
}

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
