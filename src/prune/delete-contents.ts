import pMap from "p-map";
import { ChangedRecord } from "../ledger/damaged.ts";
import { sliceOutcomes } from "../ledger/names.ts";
import { readTally, settleOutcomes } from "../ledger/outcomes.ts";
import { takingTurns } from "../model/in-turns.ts";
import type { Outcome } from "../model/outcome.ts";
import { DeleteRefused, type Content, type Sparse } from "../store/pruning.ts";
import { contentsByName } from "./list-contents.ts";
import { readNeeds } from "./needs.ts";
import { stopped, type Prune, type SliceResult } from "./step.ts";

/** Names whose contents one slice deletes: well within a function's five minutes, even if storage is slow. */
const MOST = 5_000;
/** Concurrently handled names; the process's budget of requests limits them further. */
const AT_A_TIME = 64;

/**
 * Deletes the contents of one partition that no remaining run needs, except pieces of others; a dry run only records them.
 */
export function deleteContents(prune: Prune, partition: number, slice: number): Promise<SliceResult> {
  const record = sliceOutcomes(String(partition), slice);
  return deleteSome(prune, { partition, slice, record, pieces: false });
}

/** Deletes the pieces in one partition that no remaining run needs, once all else is gone. */
export function deletePieces(prune: Prune, partition: number, slice: number): Promise<SliceResult> {
  const record = sliceOutcomes(`${partition}-pieces`, slice);
  return deleteSome(prune, { partition, slice, record, pieces: true });
}

interface Which {
  partition: number;
  slice: number;
  pieces: boolean;
}

async function deleteSome(prune: Prune, { record, ...which }: Which & { record: string }) {
  const { ledger, store, erase } = prune;
  const { names, sparse, done } = await superfluousOf(prune, which);
  const before = await readTally(ledger, record);
  if (before) return { tally: before, done };
  const gone: Content[] = [];
  try {
    const outcomes = await pMap(
      names,
      async (contents) => {
        const ofName: Outcome[] = [];
        if (await prune.isCanceled()) return ofName;
        for (const content of contents) {
          const outcome = await remove(content, prune);
          ofName.push(outcome);
          if (outcome.outcome === "deleted") gone.push(content);
        }
        return ofName;
      },
      { concurrency: AT_A_TIME },
    );
    const avoided = await store.settle({ sparse, gone }, !erase);
    const all = [...outcomes.flat(), ...avoided.map((content) => staysSparse(content, prune))];
    return { tally: await settleOutcomes(ledger, record, all), done };
  } catch (error) {
    if (error instanceof DeleteRefused) return stopped(error.message);
    throw error;
  }
}

/**
 * What a slice deletes, grouped by name, and, in the last slice, what it finds sparse. It is the same in each delivery, because
 * needs and contents are settled.
 */
async function superfluousOf(prune: Prune, { partition, slice, pieces }: Which) {
  const needs = await readNeeds(prune, partition);
  const { staying, lingering } = prune.decision;
  const runs = { staying: new Set(staying), lingering };
  const names: Content[][] = [];
  const sparse: Sparse[] = [];
  let met = 0;
  const turn = takingTurns();
  for await (const contents of contentsByName(prune, partition)) {
    await turn();
    if (prune.store.isPiece(contents[0]!) !== pieces) continue;
    const go = needs.superfluous(contents, runs);
    if (go.length === 0) {
      sparse.push(...needs.sparse(contents));
      continue;
    }
    if (names.length === MOST) return { names, sparse: [], done: false };
    if (met++ >= slice * MOST) names.push(go);
  }
  return { names, sparse, done: true };
}

/**
 * Deletes a content if it is still as it was listed; a dry run deletes nothing. Others may have written to the list since,
 * so a name outside the destination is refused.
 */
async function remove(content: Content, prune: Prune): Promise<Outcome> {
  const { store, budget, erase } = prune;
  const { size, md5 } = content;
  const path = pathOf(content, prune);
  const line = { path, kind: "file", ...(md5 === undefined ? {} : { md5 }) } as const;
  const stays = erase && (await store.delete(content, { erase, budget }));
  if (stays) return { ...line, ...stays, size: 0 };
  const what = store.whatIs(content);
  return { ...line, outcome: "deleted", size, reason: erase ? what : `would be: ${what}` };
}

/** The outcome of a content that later backups do not reuse. */
function staysSparse(content: Content, prune: Prune): Outcome {
  const reason = `kept for now: little of ${prune.store.whatIs(content)} is still needed; the next backup stores that part again`;
  return { path: pathOf(content, prune), outcome: "skipped", kind: "file", size: 0, reason };
}

/** A content's name below the prefix. @throws ChangedRecord if it is not in the destination */
function pathOf({ name }: Content, { scope: { prefix }, ledger }: Prune): string {
  if (prefix === "") return name;
  if (!name.startsWith(`${prefix}/`)) throw new ChangedRecord(`${ledger.runId}/lists`);
  return name.slice(prefix.length + 1);
}
