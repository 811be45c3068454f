import path from "node:path";
import { fileURLToPath } from "node:url";
import { MemoryWatch } from "../measure/memory.ts";
import { Child } from "../services/child.ts";
import { connectionString, CONTAINER, type Storage } from "../services/storage.ts";
import type { Tree } from "../trees.ts";
import type { LoopResult, Way } from "./bare-loop.ts";
import type { Peer, Run, Session } from "./peer.ts";

const LOOP = path.join(path.dirname(fileURLToPath(import.meta.url)), "bare-loop.ts");

/** Variants worth trying; the first is good on most machines. */
export const SMALL_FILES: Way[] = [{ files: 32 }, { files: 16 }, { files: 64 }];
export const LARGE_FILES: Way[] = [{ files: 4 }, { files: 2, blocks: 4 }, { files: 4, blocks: 8 }];

/** The SDK and a loop: the time is the loop's, without the start of its process. */
export class Bare implements Peer {
  readonly name = "bare SDK loop";
  readonly knowsUnchanged = false;
  readonly #way: Way;

  constructor(way: Way) {
    this.#way = way;
  }

  get how(): string {
    const { files, blocks } = this.#way;
    return blocks === undefined
      ? `\`upload\`, ${files} in parallel`
      : `\`uploadData\`, ${files} files in parallel, ${blocks} blocks of each`;
  }

  open({ port }: Storage): Promise<Session> {
    return Promise.resolve({
      backUp: (tree: Tree) => loop(this.#way, tree, port),
      close: () => Promise.resolve(),
    });
  }

  /** Tries each variant once and returns the fastest. */
  static async best(ways: readonly Way[], tree: Tree, startStorage: () => Promise<Storage>): Promise<Bare> {
    let best: { way: Way; seconds: number } | undefined;
    for (const way of ways) {
      const storage = await startStorage();
      try {
        const { seconds } = await loop(way, tree, storage.port);
        if (!best || seconds < best.seconds) best = { way, seconds };
      } finally {
        await storage.stop();
      }
    }
    if (!best) throw new Error("There is no variant to try.");
    return new Bare(best.way);
  }
}

async function loop(way: Way, tree: Tree, port: number): Promise<Run> {
  const request = JSON.stringify({ ...way, root: tree.root, container: CONTAINER });
  const child = new Child("the bare loop", process.execPath, [LOOP, request], {
    env: { ...process.env, BENCH_STORAGE: connectionString(port) },
  });
  const memory = new MemoryWatch(child.pid);
  try {
    await child.success();
  } finally {
    memory.stop();
  }
  const { seconds, files, bytes } = JSON.parse(child.output.split("\n").at(-1) ?? "") as LoopResult;
  if (files !== tree.files || bytes !== tree.bytes) {
    throw new Error(`the bare loop copied ${files} files instead of ${tree.files}`);
  }
  return { seconds, peakMB: memory.stop() };
}
