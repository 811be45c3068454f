import { createHash } from "node:crypto";
import type { PlannedItem } from "../../manifest/planned-item.ts";
import { blobName } from "./blob-name.ts";
import type { Source } from "../../model/source.ts";
import type { Budget } from "../../storage/budget.ts";
import { classify, describe } from "../../storage/errors.ts";
import type { GetBlobRequests } from "../../storage/get-blob-request.ts";
import { digestOf, resumeMd5, stateOf } from "../../storage/resumable-md5.ts";
import { Corrupt, Lost, type Reached, type Take } from "../store.ts";
import { downloadFrom } from "./download.ts";
import { findContents } from "./find-content.ts";

/** What reading contents needs. */
interface Reading {
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

/** The most bytes of a span, which are fetched again after a kill. */
const SPAN = 128 * 1024 * 1024;

/** Reads a span of a large content; see Store. */
export async function readSpan(
  item: PlannedItem,
  { position: from, state, source = item.source }: Reached,
  until: number,
  reading: Reading,
  take: Take,
): Promise<Reached | undefined> {
  const hash = await resumeMd5(state);
  const more = (position: number) => position - from < SPAN && performance.now() < until;
  const reached = await readOn(item, { position: from, source }, { reading, hash, more }, take);
  if (reached.position < reached.source.length) return { ...reached, state: stateOf(hash) };
  assertIntact(item, digestOf(hash));
  return undefined;
}

/** Times to look again for a content that moves, because backups overwrite its blob. */
const MOVES = 2;

async function readOn(
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
      const failure = classify(error);
      const hasMoved = failure === "conflict" || failure === "missing";
      if (!hasMoved && failure !== "held" && failure !== "invalid") throw error;
      if (!hasMoved || moves === MOVES) throw new Lost(describe(error), { cause: error });
      // The content may have become a snapshot or a version.
      const found = (await findContents(requests, prefix, [item])).get(item);
      if (!found || "lost" in found) throw new Lost(found?.lost ?? "its blob is missing");
      ({ source } = found);
    }
  }
}

function assertIntact({ md5 }: PlannedItem, hash: string): void {
  if (hash !== md5) throw new Corrupt(`corrupt: its content has the MD5 ${hash}, the run recorded ${md5}`);
}
