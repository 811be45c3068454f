import { LocalHost } from "../services/local-host.ts";
import { CONTAINER, type Storage } from "../services/storage.ts";
import { MemoryWatch } from "../measure/memory.ts";
import { durableCost, type DurableCost } from "../measure/durable-operations.ts";
import type { Peer, Run, Session } from "./peer.ts";
import type { Tree } from "../trees.ts";

export interface AppSession extends Session {
  /** Ends the host, and reports what the engine had to do. */
  closeAndCount(): Promise<DurableCost>;
}

/** The layout that is not the default. */
export const PACKS = "packs" as const;

interface AppOptions {
  workers?: number;
  /** What each activity costs besides its work, as on the real engine. */
  activityMs?: number;
  layout?: typeof PACKS;
  /** What a second backup compares the files with: what it finds at the destination by default. */
  again?: "by the record" | "by content";
}

/** The app, called over HTTP on the local host. */
export class App implements Peer {
  readonly name: string;
  readonly how: string;
  readonly knowsUnchanged = true;
  readonly #build: string;
  readonly #options: AppOptions;

  constructor(build: string, options: AppOptions = {}) {
    const { workers = 1, activityMs = 0, layout, again } = options;
    const how = [
      workers > 1 && `${workers} workers`,
      layout,
      again,
      activityMs > 0 && `${activityMs} ms an activity`,
    ];
    this.name = ["app", ...how.filter(Boolean)].join(", ");
    this.how = `POST /orchestrators/backupSiteContent on the local host, ${workers} worker process${workers === 1 ? "" : "es"}`;
    this.#build = build;
    this.#options = options;
  }

  async open({ port }: Storage): Promise<AppSession> {
    const place = { build: this.#build, app: this.#build };
    const { workers = 1, activityMs = 0 } = this.#options;
    const host = await LocalHost.start({ ...place, storagePort: port, workers, activityMs });
    return {
      backUp: (tree, again) => timed(host, () => backUp(host, tree, this.#request(again), again)),
      restore: (tree, to) => timed(host, () => restore(host, tree, to)),
      close: async () => {
        await host.stop();
        host.discard();
      },
      closeAndCount: async () => {
        await host.stop();
        try {
          return durableCost(host.stateFolder);
        } finally {
          host.discard();
        }
      },
    };
  }

  #request(isAgain: boolean): object {
    const { layout, again } = this.#options;
    const where = { container: CONTAINER, ...(layout === undefined ? {} : { layout }) };
    if (!isAgain) return { ...where, mode: "full" };
    const compared = { "by the record": { compareWith: "record" }, "by content": { checksum: true } };
    return { ...where, mode: "incremental", ...(again === undefined ? {} : compared[again]) };
  }
}

async function timed(host: LocalHost, run: () => Promise<void>): Promise<Run> {
  const memory = new MemoryWatch(host.child.pid);
  const begin = performance.now();
  try {
    await run();
    return { seconds: (performance.now() - begin) / 1000, peakMB: memory.stop() };
  } finally {
    memory.stop();
  }
}

async function restore(host: LocalHost, tree: Tree, to: string): Promise<void> {
  const bytes = await host.run("restoreSiteContent", {
    at: new Date().toISOString(),
    container: CONTAINER,
    to,
  });
  if (bytes !== tree.bytes)
    throw new Error(`the app restored ${String(bytes)} bytes instead of ${tree.bytes}`);
}

async function backUp(host: LocalHost, tree: Tree, request: object, isAgain: boolean): Promise<void> {
  const bytes = await host.run("backupSiteContent", { root: tree.root, ...request });
  const expected = isAgain ? (tree.changed ?? 0) : tree.bytes;
  if (bytes !== expected) throw new Error(`the app copied ${String(bytes)} bytes instead of ${expected}`);
}
