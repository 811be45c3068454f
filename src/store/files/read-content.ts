import { createHash } from "node:crypto";
import type { PlannedItem } from "../../manifest/planned-item.ts";
import { blobName } from "./blob-name.ts";
import type { Source } from "../../model/source.ts";
import type { Budget } from "../../storage/budget.ts";
import { classify, describe } from "../../storage/errors.ts";
import type { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { Corrupt, Lost, type Take } from "../fetching.ts";
import { downloadFrom } from "./download.ts";
import { findContents } from "./find-content.ts";

/** What reading contents needs. */
export interface Reading {
  requests: GetBlobRequests;
  prefix: string;
  budget: Budget;
}

/** Reads a whole content; see Read. */
export async function readContent(item: PlannedItem, reading: Reading, take: Take): Promise<void> {
  const hash = createHash("md5");
  await readOn(item, { position: 0, source: item.source }, { reading, hash, more: () => true }, take);
  assertIntact(item, hash.digest("base64"));
}

/** Times to look again for a content that moves, because backups overwrite its blob. */
const MOVES = 2;

/** Reads what follows a position, as long as there is `more`. Content that has moved is found again. */
export async function readOn(
  item: PlannedItem,
  { position, source }: { position: number; source: Source },
  {
    reading: { requests, prefix, budget },
    hash,
    more,
  }: {
    reading: Reading;
    hash: { update(bytes: Buffer): unknown };
    more: (position: number) => boolean;
  },
  take: Take,
): Promise<{ position: number; source: Source }> {
  const name = blobName(item.path, prefix);
  for (let moves = 0; ; moves++) {
    const span = { from: position, more };
    try {
      await downloadFrom({ requests, name, source }, budget, span, async (bytes, start) => {
        hash.update(bytes);
        await take(bytes, start);
        position = start + bytes.length;
      });
      return { position, source };
    } catch (error) {
      source = await foundAgain(item, error, moves, { requests, prefix });
    }
  }
}

/**
 * Where a content is that could not be read where it was.
 * @param moves how often it was found again before
 * @throws the error itself if it says nothing of where the content is; Lost
 */
export async function foundAgain(
  item: PlannedItem,
  error: unknown,
  moves: number,
  { requests, prefix }: Omit<Reading, "budget">,
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

/** @throws Corrupt if a content that was read does not have the hash that the run recorded */
export function assertIntact({ md5 }: PlannedItem, hash: string): void {
  if (hash !== md5) throw new Corrupt(`corrupt: its content has the MD5 ${hash}, the run recorded ${md5}`);
}
