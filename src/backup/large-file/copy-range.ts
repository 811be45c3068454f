import type { BlobServiceClient } from "@azure/storage-blob";
import { Ledger } from "../../ledger/ledger.ts";
import { md5 } from "../../model/md5.ts";
import { withRetries } from "../../storage/retries.ts";
import type { Settings } from "../../settings.ts";
import { blockId } from "../block-id.ts";
import { uncommittedBlocks } from "../blocks-there.ts";
import type { Budget } from "../../storage/budget.ts";
import { HOLDING_A_FILE_MS } from "../../files/handles.ts";
import { withPlannedFile, type Piece } from "./planned-file.ts";
import { largeBlob, type AttemptRef, type Plan } from "./plan.ts";

/** Blocks of one range that are read and sent at a time. */
const AT_A_TIME = 4;

/** A range of an attempt at a large file. */
export type RangeRef = AttemptRef & { range: number };

/** What came of a range, and how many requests were throttled. */
export interface RangeResult {
  piece: Piece;
  throttled?: number;
}

/**
 * Sends the blocks of one range that are not there yet. Sent twice they are the same blocks, for their ids are fixed by
 * attempt and place: after a kill only those go again whose requests were under way.
 * @returns "changed" when the file is no longer the one that the attempt began with
 */
export async function copyRange(
  ref: RangeRef,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<Piece> {
  const ledger = new Ledger(service, ref.run);
  return await withPlannedFile(ledger, ref, settings, async (file, plan, entry) => {
    const blob = largeBlob(service, ref, entry);
    const lengthOf = (index: number): number => Math.min(plan.block, plan.size - index * plan.block);
    const send = async (index: number): Promise<void> => {
      const position = index * plan.block;
      const length = lengthOf(index);
      await budget.content(length, async (content) => {
        await file.read(content, position);
        const hash = md5(content);
        await budget.request(() =>
          withRetries(
            (abortSignal) =>
              blob.stageBlock(blockId(plan.mark, index), content, length, {
                abortSignal,
                transactionalContentMD5: hash,
              }),
            length,
            HOLDING_A_FILE_MS,
          ),
        );
      });
    };
    const there = await uncommittedBlocks(blob);
    const indexes = blocksOf(plan, ref.range).filter(
      (index) => there.get(blockId(plan.mark, index)) !== lengthOf(index),
    );
    await Promise.all(
      Array.from({ length: AT_A_TIME }, async () => {
        for (let index = indexes.shift(); index !== undefined; index = indexes.shift()) await send(index);
      }),
    );
    await file.assertUnchanged();
  });
}

function blocksOf(plan: Plan, range: number): number[] {
  const perRange = plan.range / plan.block;
  const first = range * perRange;
  return Array.from({ length: Math.min(perRange, plan.blocks - first) }, (_none, index) => first + index);
}
