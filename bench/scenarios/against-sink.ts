import type { DurableCost } from "../measure/durable-operations.ts";
import { App, type PACKS } from "../peers/app.ts";
import type { Run } from "../peers/peer.ts";
import { withinLimit } from "../services/limit.ts";
import { Sink } from "../services/sink.ts";
import type { Tree } from "../trees.ts";

export interface SinkRun extends Run {
  durable: DurableCost;
  /** Requests to storage, the ledger's among them. */
  requests: number;
}

interface SinkOptions {
  /** It is the second backup, which compares with the record of the first. */
  again?: boolean;
  layout?: typeof PACKS;
}

/** One backup by the app, on a fresh host, to storage that stores nothing. */
export async function backUpToSink(
  build: string,
  tree: Tree,
  { again = false, layout }: SinkOptions = {},
): Promise<SinkRun> {
  const sink = await Sink.start();
  try {
    const session = await new App(build, { again: "by the record", ...(layout ? { layout } : {}) }).open(
      sink,
    );
    try {
      if (again) {
        await withinLimit(session.backUp(tree, false));
        sink.fill();
      }
      const before = await sink.requests();
      const run = await withinLimit(session.backUp(tree, again));
      const requests = (await sink.requests()) - before - 1;
      return { ...run, requests, durable: await session.closeAndCount() };
    } finally {
      await session.close();
    }
  } finally {
    await sink.stop();
  }
}
