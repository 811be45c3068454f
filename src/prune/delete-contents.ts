import pMap from "p-map";
import type { Outcome } from "../model/outcome.ts";
import { ChangedRecord } from "../ledger/damaged.ts";
import { readTally, settleOutcomes } from "../ledger/outcomes.ts";
import { takingTurns } from "../model/in-turns.ts";
import { DeleteRefused, type Content } from "../store/pruning.ts";
import { contentsByName } from "./list-contents.ts";
import { readNeeds } from "./needs.ts";
import { stopped, type Prune, type SliceResult } from "./step.ts";
import { sliceOutcomes } from "../ledger/names.ts";

/** Names whose contents one slice deletes: well within a function's five minutes, even if storage is slow. */
const MOST = 5_000;
/** Names handled at a time; the process's budget of requests limits them further. */
const AT_A_TIME = 64;

/** Deletes the contents of one partition that no remaining run needs; a dry run only records them. */
export async function deleteContents(prune: Prune, partition: number, slice: number): Promise<SliceResult> {
  const record = sliceOutcomes(String(partition), slice);
  const { names, done } = await superfluousOf(prune, partition, slice);
  const before = await readTally(prune.ledger, record);
  if (before) return { tally: before, done };
  try {
    const outcomes = await pMap(
      names,
      async (contents) => {
        const ofName: Outcome[] = [];
        if (await prune.isCanceled()) return ofName;
        for (const content of contents) ofName.push(await remove(content, prune));
        return ofName;
      },
      { concurrency: AT_A_TIME },
    );
    return { tally: await settleOutcomes(prune.ledger, record, outcomes.flat()), done };
  } catch (error) {
    if (error instanceof DeleteRefused) return stopped(error.message);
    throw error;
  }
}

/** What a slice deletes, grouped by name. It is the same in each delivery, because needs and contents are settled. */
async function superfluousOf(prune: Prune, partition: number, slice: number) {
  const needs = await readNeeds(prune, partition);
  const { staying, lingering } = prune.decision;
  const runs = { staying: new Set(staying), lingering };
  const names: Content[][] = [];
  let met = 0;
  const turn = takingTurns();
  for await (const contents of contentsByName(prune, partition)) {
    await turn();
    const go = needs.superfluous(contents, runs);
    if (go.length === 0) continue;
    if (names.length === MOST) return { names, done: false };
    if (met++ >= slice * MOST) names.push(go);
  }
  return { names, done: true };
}

/**
 * Deletes a content if it is still as it was listed; a dry run deletes nothing. Others may have written to the list since,
 * so a name outside the destination is refused.
 */
async function remove(
  content: Content,
  { scope: { prefix }, store, budget, erase, ledger }: Prune,
): Promise<Outcome> {
  const { name, size, md5 } = content;
  if (prefix !== "" && !name.startsWith(`${prefix}/`)) throw new ChangedRecord(`${ledger.runId}/lists`);
  const path = prefix === "" ? name : name.slice(prefix.length + 1);
  const line = { path, kind: "file", ...(md5 === undefined ? {} : { md5 }) } as const;
  const stays = erase && (await store.delete(content, { erase, budget }));
  if (stays) return { ...line, ...stays, size: 0 };
  const what = store.whatIs(content);
  return { ...line, outcome: "deleted", size, reason: erase ? what : `would be: ${what}` };
}
