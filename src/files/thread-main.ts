/** The thread: does the requested operations one after another, and answers all of them at once. */
import * as fs from "node:fs";
import { parentPort } from "node:worker_threads";
import type { DiskPath } from "../model/path.ts";
import { md5 } from "../model/md5.ts";
import { isSettled, isSame, liesInside, locate, READ_ONLY } from "./read-file.ts";
import type { Answer, Answers, Ask, Looked, ReadWhole } from "./asks.ts";

parentPort?.on("message", (asks: Ask[]) => {
  const begin = performance.now();
  const answers = asks.map(answer);
  const ms = performance.now() - begin;
  const contents = answers.flatMap((it) => (it && "content" in it ? [it.content.buffer] : []));
  // Transferred, not copied.
  parentPort?.postMessage({ answers, ms } satisfies Answers, contents);
});

function answer(ask: Ask): Answer {
  try {
    const file = locate(ask.realRoot, ask.path);
    return ask.what === "look" ? look(file) : read(file, ask.realRoot, ask.size);
  } catch {
    return undefined;
  }
}

function look(file: DiskPath): Looked | undefined {
  const stats = fs.lstatSync(file);
  return stats.isFile() ? lookedAt(stats) : undefined;
}

function lookedAt({ size, mtimeMs, ctimeMs, mode }: fs.Stats): Looked {
  return { size, mtimeMs, ctimeMs, mode };
}

/** Like `OpenFile`: checks what was opened, not what the name was a moment ago. */
function read(file: DiskPath, realRoot: string, size: number): ReadWhole | undefined {
  const descriptor = fs.openSync(file, READ_ONLY);
  try {
    const stats = fs.fstatSync(descriptor);
    if (!stats.isFile() || stats.size !== size || !isSettled(stats)) return undefined;
    if (!liesInside(descriptor, realRoot)) return undefined;
    // Not from Node's pool: its memory goes to the other thread.
    const content = new Uint8Array(size);
    if (size > 0 && fs.readSync(descriptor, content, 0, size, 0) !== size) return undefined;
    // Some file systems report no sizes.
    if (size === 0 && fs.readSync(descriptor, new Uint8Array(1), 0, 1, 0) > 0) return undefined;
    if (!isSame(stats, fs.fstatSync(descriptor))) return undefined;
    return {
      content,
      md5: md5(content).toString("base64"),
      ...lookedAt(stats),
    };
  } finally {
    fs.closeSync(descriptor);
  }
}
