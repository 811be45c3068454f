import type { PlannedItem } from "../../manifest/plan-record.ts";
import type { Source } from "../../model/content.ts";
import { classify, describe } from "../../storage/errors.ts";
import type { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { Lost } from "../fetching.ts";
import { findContents } from "./find-content.ts";

/** Times to look again for a content that moves, because backups overwrite its blob. */
const MOVES = 2;

/**
 * Finds a content that could not be read at its last known place.
 * @param moves how often it was found again before
 * @throws the error itself if it says nothing of where the content is; Lost
 */
export async function foundAgain(
  item: PlannedItem,
  error: unknown,
  moves: number,
  { requests, prefix }: { requests: GetBlobRequests; prefix: string },
): Promise<Source> {
  const failure = classify(error);
  const hasMoved = failure === "conflict" || failure === "missing";
  if (!hasMoved && failure !== "held" && failure !== "invalid") throw error;
  if (!hasMoved || moves === MOVES) throw new Lost(describe(error), { cause: error });
  // The content may have become a snapshot or a version.
  const found = (await findContents(requests, prefix, [item])).get(item);
  if (!found || "lost" in found) throw new Lost(found?.lost ?? "its blob is missing");
  return found.source;
}
