import path from "node:path";
import { figure } from "../measure/statistics.ts";
import { Skipped, type Peer, type Run, type Session } from "../peers/peer.ts";
import type { Row } from "../results.ts";
import { withinLimit } from "../services/limit.ts";
import { scratch } from "../services/scratch.ts";
import { createContainer, type Storage } from "../services/storage.ts";
import type { Tree } from "../trees.ts";

export interface Comparison {
  tree: Tree;
  runs: number;
  /** A first backup (the default), a second one of the same tree, or a restore. */
  what?: "first" | "again" | "restore";
  /** Before a second backup. */
  change?: (tree: Tree) => void;
  /** Whether to see how much lies in storage after a first backup. */
  weighs?: boolean;
  /** Each run of each peer gets its own empty storage account. */
  readonly startStorage: () => Promise<Storage>;
  readonly say: (line: string) => void;
}

/**
 * Measures peers side by side: each once a round, in another order every round, so that other load on the machine
 * affects all of them. A peer that fails is left out from then on; its row says why.
 */
export async function compare(peers: readonly Peer[], comparison: Comparison): Promise<Row[]> {
  const entries = peers.map((peer) => ({
    peer,
    runs: [] as Run[],
    failed: "",
    skipped: peer.unavailable?.(),
  }));
  for (let round = 0; round < comparison.runs; round++) {
    const turn = round % entries.length;
    for (const entry of [...entries.slice(turn), ...entries.slice(0, turn)]) {
      if (entry.failed !== "" || entry.skipped !== undefined) continue;
      try {
        const run = await measure(entry.peer, comparison);
        entry.runs.push(run);
        comparison.say(`  ${entry.peer.name}: ${run.seconds.toFixed(2)} s`);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (error instanceof Skipped) entry.skipped = message;
        else entry.failed = message;
      }
    }
  }
  return entries.map(({ peer, runs, failed, skipped }) => ({
    name: peer.name,
    how: peer.how,
    figures:
      failed === "" && skipped === undefined && runs.length > 0 ? figuresOf(runs, comparison.tree) : {},
    ...(failed === "" ? {} : { failed }),
    ...(skipped === undefined ? {} : { skipped }),
  }));
}

async function measure(peer: Peer, comparison: Comparison): Promise<Run> {
  const { tree, what = "first", weighs = false, startStorage } = comparison;
  const storage = await startStorage();
  try {
    const session = await peer.open(storage);
    try {
      const first = await withinLimit(session.backUp(tree, false));
      if (what === "first") return weighs ? { ...first, storedMiB: await storedMiB(storage) } : first;
      if (what === "restore") return await withinLimit(restore(session, tree));
      comparison.change?.(tree);
      return await withinLimit(session.backUp(tree, true));
    } finally {
      await session.close();
    }
  } finally {
    await storage.stop();
  }
}

/** What lies in the peers' container; the app's ledger has one of its own. */
async function storedMiB({ port }: Storage): Promise<number> {
  let bytes = 0;
  for await (const { properties } of (await createContainer(port)).listBlobsFlat())
    bytes += properties.contentLength ?? 0;
  return bytes / 1024 ** 2;
}

async function restore(session: Session, tree: Tree): Promise<Run> {
  if (!session.restore) throw new Error("it cannot restore");
  // Kept until the bench ends. When files are removed, ext4 passes over their inodes for some minutes, one by one for each new file:
  // a file then takes it 300 µs instead of 15.
  return await session.restore(tree, path.join(scratch("restored"), "tree"));
}

function figuresOf(runs: readonly Run[], tree: Tree): Row["figures"] {
  const peaks = runs.flatMap(({ peakMB }) => (peakMB === undefined ? [] : [peakMB]));
  const stored = runs.flatMap(({ storedMiB }) => (storedMiB === undefined ? [] : [storedMiB]));
  return {
    seconds: figure(runs.map(({ seconds }) => seconds)),
    filesPerSecond: figure(runs.map(({ seconds }) => tree.files / seconds)),
    mibPerSecond: figure(runs.map(({ seconds }) => tree.bytes / 1024 ** 2 / seconds)),
    ...(peaks.length > 0 ? { peakMB: figure(peaks) } : {}),
    ...(stored.length > 0 ? { storedMiB: figure(stored) } : {}),
  };
}
