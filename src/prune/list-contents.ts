import { emptyTally } from "../model/outcome.ts";
import type { Content } from "../store/pruning.ts";
import { readSorted, Sorter } from "./sorted.ts";
import type { Prune, SliceResult } from "./step.ts";

/** Contents that one slice lists, in about 20 list calls. */
const MOST = 100_000;

interface Next {
  /** The marker that the next slice begins at; absent in the last slice. */
  next?: string;
}

/** Lists a slice of what the destination holds, sorted by partition, and within each by name. There is one lane. */
export async function listContents(
  { ledger, decision, store }: Prune,
  _lane: number,
  slice: number,
): Promise<SliceResult> {
  const list = nameOf(slice);
  const before = await readSorted<Next>(ledger, list);
  if (before) return { tally: emptyTally(), done: before.next === undefined };
  const from = slice === 0 ? undefined : (await readSorted<Next>(ledger, nameOf(slice - 1)))?.next;
  if (slice > 0 && from === undefined)
    throw new Error(`Slice ${slice} of the contents cannot be listed: the slice before it was the last.`);

  const sorter = new Sorter(decision.partitions);
  let listed = 0;
  let next: string | undefined;
  for await (const page of store.contents(from)) {
    for (const content of page.contents) sorter.add(content.name, content);
    listed += page.contents.length;
    next = page.next;
    if (listed >= MOST) break;
  }
  const settled = await sorter.settle<Next>(ledger, list, next === undefined ? {} : { next });
  return { tally: emptyTally(), done: settled.next === undefined };
}

function nameOf(slice: number): string {
  return `contents-${slice}`;
}

/** The contents of one partition, grouped by name. A slice that ended within a group splits it. */
export async function* contentsByName(
  { ledger, store }: Prune,
  partition: number,
): AsyncGenerator<Content[]> {
  for (let slice = 0; ; slice++) {
    const sorted = await readSorted<Next>(ledger, nameOf(slice));
    const range = sorted?.ranges[partition];
    if (!range)
      throw new Error(
        `The record of the run ${ledger.runId} has no list for slice ${slice} of the contents.`,
      );
    let group: Content[] = [];
    for (const content of await ledger.readLines<Content>(range, store.contentLine)) {
      if (group.length > 0 && group[0]!.name !== content.name) {
        yield group;
        group = [];
      }
      group.push(content);
    }
    if (group.length > 0) yield group;
    if (sorted.next === undefined) return;
  }
}
