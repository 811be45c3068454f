import { LocalHost } from "../services/local-host.ts";
import { CONTAINER } from "../services/storage.ts";
import { MemoryWatch } from "../measure/memory.ts";
import { durableCost, type DurableCost } from "../measure/durable-operations.ts";
import type { Peer, Run, Session } from "./peer.ts";
import type { Storage } from "../services/storage.ts";
import type { Tree } from "../trees.ts";

export interface AppSession extends Session {
  /** Ends the host, and reports what the engine had to do. */
  closeAndCount(): Promise<DurableCost>;
}

type CompareWith = "destination" | "record";

interface AppOptions {
  workers?: number;
  activityMs?: number;
  compareWith?: CompareWith;
}

/** The app, called over HTTP on the local host. */
export class App implements Peer {
  readonly name: string;
  readonly how: string;
  readonly knowsUnchanged = true;
  readonly #build: string;
  readonly #workers: number;
  readonly #activityMs: number;
  readonly #compareWith: CompareWith;

  /**
   * @param activityMs what each activity costs besides its work, as on the real engine
   * @param compareWith what a second backup compares the files with
   */
  constructor(build: string, { workers = 1, activityMs = 0, compareWith = "destination" }: AppOptions = {}) {
    this.name = workers === 1 ? "app" : `app, ${workers} workers`;
    this.#activityMs = activityMs;
    this.#compareWith = compareWith;
    if (activityMs > 0) this.name += `, ${activityMs} ms an activity`;
    if (compareWith === "record") this.name += ", by the record";
    this.how = `POST /orchestrators/backupSiteContent on the local host, ${workers} worker process${workers === 1 ? "" : "es"}`;
    this.#build = build;
    this.#workers = workers;
  }

  async open({ port }: Storage): Promise<AppSession> {
    const place = { build: this.#build, app: this.#build };
    const host = await LocalHost.start({
      ...place,
      storagePort: port,
      workers: this.#workers,
      activityMs: this.#activityMs,
    });
    return {
      backUp: (tree, again) => timed(host, () => backUp(host, tree, again ? this.#compareWith : undefined)),
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

/** @param compareWith undefined copies every file */
async function backUp(host: LocalHost, tree: Tree, compareWith: CompareWith | undefined): Promise<void> {
  const how = compareWith === undefined ? { mode: "full" } : { mode: "incremental", compareWith };
  const bytes = await host.run("backupSiteContent", { root: tree.root, container: CONTAINER, ...how });
  const expected = compareWith === undefined ? tree.bytes : 0;
  if (bytes !== expected) throw new Error(`the app copied ${String(bytes)} bytes instead of ${expected}`);
}
