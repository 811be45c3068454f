import { createHash } from "node:crypto";
import type { PlannedItem } from "../../manifest/plan-record.ts";
import type { Source } from "../../model/content.ts";
import type { Budget } from "../../storage/budget.ts";
import type { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { Corrupt, type Take } from "../fetching.ts";
import { blobName } from "./blob-name.ts";
import { download } from "./download.ts";
import { foundAgain } from "./found-again.ts";

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

/** Reads what follows a position, as long as there is `more`. Content that has moved is found again. */
export async function readOn(
  item: PlannedItem,
  { position, source }: { position: number; source: Source },
  how: { reading: Reading; hash: { update(bytes: Buffer): unknown }; more: (position: number) => boolean },
  take: Take,
): Promise<{ position: number; source: Source }> {
  const { reading, hash, more } = how;
  const name = blobName(item.path, reading.prefix);
  for (let moves = 0; ; moves++) {
    try {
      await download({ ...source, name }, { from: position, more }, reading, async (bytes, start) => {
        hash.update(bytes);
        await take(bytes, start);
        position = start + bytes.length;
      });
      return { position, source };
    } catch (error) {
      source = await foundAgain(item, error, moves, reading);
    }
  }
}

/** @throws Corrupt if a content that was read does not have the hash that the run recorded */
export function assertIntact({ md5 }: PlannedItem, hash: string): void {
  if (hash !== md5) throw new Corrupt(`corrupt: its content has the MD5 ${hash}, the run recorded ${md5}`);
}
