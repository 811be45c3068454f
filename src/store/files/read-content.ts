import { createHash } from "node:crypto";
import { HOLDING_A_FILE_MS } from "../../files/handles.ts";
import type { PlannedItem } from "../../manifest/planned-item.ts";
import { blobName } from "../../model/blob-name.ts";
import type { Budget } from "../../storage/budget.ts";
import { classify, describe } from "../../storage/errors.ts";
import type { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { Corrupt, Lost, type Read } from "../store.ts";
import { downloadFrom } from "./download.ts";
import { findContents } from "./find-content.ts";

/** Times a content is looked for again that has moved: a backup writes over its blob. */
const MOVES = 2;

/** See Read. */
export async function readContent(
  item: PlannedItem,
  { requests, prefix, budget }: { requests: GetBlobRequests; prefix: string; budget: Budget },
  take: Parameters<Read>[0],
): Promise<void> {
  const name = blobName(item.path, prefix);
  const hash = createHash("md5");
  let { source } = item;
  let reached = 0;
  for (let moves = 0; reached < source.length; moves++) {
    const span = { from: reached, patience: HOLDING_A_FILE_MS };
    try {
      await downloadFrom({ requests, name, source }, budget, span, async (bytes, position) => {
        hash.update(bytes);
        await take(bytes, position);
        reached = position + bytes.length;
      });
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
  const md5 = hash.digest("base64");
  if (md5 !== item.md5)
    throw new Corrupt(`corrupt: its content has the MD5 ${md5}, the run recorded ${item.md5}`);
}
