/** The thread: does the requested operations one after another, and answers all of them at once. */
import * as fs from "node:fs";
import { parentPort } from "node:worker_threads";
import type { DiskPath } from "../model/path.ts";
import { timed, type Answer, type Answers, type Ask, type Listed, type Looked } from "./asks.ts";
import { locate } from "./read-file.ts";
import { lookedAt, OpenDirectories, OpenDirectory, place, readWhole, write } from "./thread-work.ts";

/** The largest directory to read at once, in bytes of the directory itself: some 1,500 names on ext4. */
const SMALL_DIRECTORY = 64 * 1024;

parentPort?.on("message", (asks: Ask[]) => {
  const directories = new OpenDirectories();
  const spent: Answers["spent"] = {};
  const answers = asks.map((ask) => timed(ask, spent, () => answer(ask, directories)));
  directories.close();
  parentPort?.postMessage({ answers, spent } satisfies Answers);
});

function answer(ask: Ask, directories: OpenDirectories): Answer {
  const { realRoot } = ask;
  if (ask.what === "look") return ask.paths.map((path) => attempt(() => look(locate(realRoot, path))));
  if (ask.what === "list") return ask.paths.map((path) => attempt(() => list(realRoot, path)));
  return attempt(() => {
    const file = locate(realRoot, ask.path);
    if (ask.what === "read") return readWhole(file, ask);
    const directory = directories.of(ask);
    return ask.what === "write" ? write(ask, directory) : place(ask, directory);
  });
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function look(file: DiskPath): Looked | undefined {
  const stats = fs.lstatSync(file);
  return stats.isFile() ? lookedAt(stats) : undefined;
}

function list(realRoot: string, portable: string): Listed | undefined {
  locate(realRoot, portable);
  const directory = new OpenDirectory(realRoot, portable);
  try {
    const { dev, ino, size } = directory.stats;
    if (size > SMALL_DIRECTORY) return undefined;
    return { stats: { ...lookedAt(directory.stats), dev, ino }, names: directory.names() };
  } finally {
    directory.close();
  }
}
