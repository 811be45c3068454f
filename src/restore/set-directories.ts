import path from "node:path";
import pMap from "p-map";
import { fileError } from "../files/file-error.ts";
import { awaitingHandles } from "../files/handles.ts";
import { openOwn } from "../files/own-directory.ts";
import { NotADirectory } from "../files/pinned-directory.ts";
import { withTimeout } from "../files/timeout.ts";
import type { DirectoryLine } from "../ledger/directories.ts";
import { failed, type Outcome } from "../model/outcome.ts";
import { adjust } from "./attributes.ts";
import { parentPath } from "./decide.ts";
import { depthOf } from "./directories-to-make.ts";
import { lookUp } from "./look.ts";

/** A directory that was not empty, as the part that read it recorded it. */
export type RecordedDirectory = Required<Pick<DirectoryLine, "path" | "mtime" | "mode">>;

/** Directories that are set at a time. */
const AT_A_TIME = 16;

/** Gives directories their mode and time, the deepest first. @returns the outcomes of those where something is to be said */
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
          // It is not there, or something else is, which is then a failure of its own.
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

/** @returns what could not be set, for people */
async function setOne(
  directory: RecordedDirectory,
  realTo: string,
  fileTimeoutMs: number,
): Promise<string | undefined> {
  const item = { ...directory, kind: "directory", size: 0 } as const;
  const above = await openOwn(realTo, parentPath(item));
  try {
    const at = above.path(path.posix.basename(item.path));
    const now = await lookUp(at);
    return now?.isDirectory() ? await adjust(item, at, now, { fileTimeoutMs, setuid: true }) : undefined;
  } finally {
    await above.close();
  }
}
