import { createHash } from "node:crypto";
import { HOLDING_A_FILE_MS } from "../../files/handles.ts";
import type { PlannedItem } from "../../manifest/planned-item.ts";
import { blobName } from "../../model/blob-name.ts";
import type { Budget } from "../../storage/budget.ts";
import { classify, describe } from "../../storage/errors.ts";
import type { GetBlobRequests } from "../../storage/get-blob-request.ts";
import type { Source } from "../../model/source.ts";
import { assertIntact, Lost, type Read } from "../store.ts";
import { downloadFrom } from "./download.ts";
import { findContents } from "./find-content.ts";

/** Times a content is looked for again that has moved: a backup writes over its blob. */
const MOVES = 2;

/** What contents are fetched with. */
export interface Means {
  requests: GetBlobRequests;
  prefix: string;
  budget: Budget;
}

/** See Read. */
export async function readContent(item: PlannedItem, means: Means, take: Parameters<Read>[0]): Promise<void> {
  const hash = createHash("md5");
  await readFrom(item, means, { from: 0 }, async (bytes, position) => {
    hash.update(bytes);
    await take(bytes, position);
  });
  assertIntact(item, hash.digest("base64"));
}

/**
 * Hands on what follows a position, and does not check it.
 * @param span see downloadFrom
 * @returns the position that it came to, and where the content is now
 */
export async function readFrom(
  item: PlannedItem,
  { requests, prefix, budget }: Means,
  { from, more }: { from: number; more?: (position: number) => boolean },
  take: Parameters<Read>[0],
): Promise<{ position: number; source: Source }> {
  const name = blobName(item.path, prefix);
  let { source } = item;
  let reached = from;
  for (let moves = 0; ; moves++) {
    const span = { from: reached, patience: HOLDING_A_FILE_MS, ...(more ? { more } : {}) };
    try {
      const position = await downloadFrom({ requests, name, source }, budget, span, async (bytes, start) => {
        await take(bytes, start);
        reached = start + bytes.length;
      });
      return { position, source };
    } catch (error) {
      const failure = classify(error);
      const hasMoved = failure === "conflict" || failure === "missing";
      if (!hasMoved && failure !== "held" && failure !== "invalid" && failure !== "damaged") throw error;
      if (!hasMoved || moves === MOVES) throw new Lost(describe(error), { cause: error });
      // Its old content has become a snapshot or a version.
      const found = (await findContents(requests, prefix, [item])).get(item);
      if (!found || "lost" in found) throw new Lost(found?.lost ?? "its blob is missing");
      ({ source } = found);
    }
  }
}
