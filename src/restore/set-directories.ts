import path from "node:path";
import pMap from "p-map";
import { awaitingHandles, fileError } from "../files/errors.ts";
import { openOwn } from "../files/own-directory.ts";
import { NotADirectory } from "../files/pinned-directory.ts";
import { withTimeout } from "../files/timeout.ts";
import type { DirectoryLine } from "../ledger/directories.ts";
import { failed, type Outcome } from "../model/outcome.ts";
import { parentPath } from "../model/path.ts";
import { adjust } from "./attributes.ts";
import { lookUp } from "./decide.ts";
import { depthOf } from "./directories-to-make.ts";

/** A directory that was not empty, as a backup recorded it. */
export type RecordedDirectory = Required<Pick<DirectoryLine, "path" | "mtime" | "mode">>;

/** Concurrently set directories. */
const AT_A_TIME = 16;

/** Sets modes and times of directories, deepest first. @returns outcomes of those that failed or have a note */
export async function setDirectories(
  directories: readonly RecordedDirectory[],
  realTo: string,
  fileTimeoutMs: number,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const byDepth = Map.groupBy(directories, ({ path }) => depthOf(path));
  for (const depth of [...byDepth.keys()].sort((a, b) => b - a)) {
    await pMap(
      byDepth.get(depth) ?? [],
      async (directory) => {
        try {
          const note = await awaitingHandles(() =>
            withTimeout(setOne(directory, realTo, fileTimeoutMs), fileTimeoutMs, "setting its mode"),
          );
          if (note !== undefined)
            outcomes.push({
              ...failed({ path: directory.path, kind: "directory" }, note),
              outcome: "copied",
              unset: true,
            });
        } catch (error) {
          const { code, message } = error as NodeJS.ErrnoException;
          // The directory is missing or replaced; items in it have failed by themselves.
          if (code === "ENOENT" || error instanceof NotADirectory) return;
          outcomes.push(
            failed(
              { path: directory.path, kind: "directory" },
              code === undefined ? message : fileError(code),
            ),
          );
        }
      },
      { concurrency: AT_A_TIME },
    );
  }
  return outcomes;
}

/** @returns what could not be set, as a message */
async function setOne(
  directory: RecordedDirectory,
  realTo: string,
  fileTimeoutMs: number,
): Promise<string | undefined> {
  const item = { ...directory, kind: "directory", size: 0 } as const;
  const above = await openOwn(realTo, parentPath(item.path));
  try {
    const at = above.path(path.posix.basename(item.path));
    const now = await lookUp(at);
    return now?.isDirectory() ? await adjust(item, at, now, { fileTimeoutMs, setuid: true }) : undefined;
  } finally {
    await above.close();
  }
}
