import { Option, type Command } from "commander";
import { define, INTERRUPTED, SOME_FAILED } from "../define.ts";
import { Failure } from "../failure.ts";
import { pathForApp } from "../local-path.ts";
import { patternOptions, type Patterns } from "../patterns.ts";
import { name } from "../print.ts";
import { reportEnd } from "../report.ts";
import { runToEnd } from "../run-to-end.ts";
import { withSession, type CommonOptions } from "../session.ts";

/** What `backup` can be told. */
interface BackupOptions extends CommonOptions, Patterns {
  container?: string;
  prefix?: string;
  incremental?: boolean;
  checksum?: boolean;
  history?: boolean;
  allowOtherRoot?: boolean;
}

export function addBackup(program: Command): void {
  define<BackupOptions>(
    program,
    {
      usage: "backup <dir>",
      description: "Back up a directory, and follow it to its end.",
      examples: [
        "site-backup backup ./wwwroot",
        "site-backup backup ./wwwroot --incremental --exclude node_modules --exclude '*.log'",
      ],
      exits: [SOME_FAILED, INTERRUPTED],
      json: ["started", "progress", "end"],
    },
    [
      new Option("--container <name>", 'the container that the blobs go to (default: "backups")'),
      new Option("--prefix <folder>", "a folder in the container"),
      ...patternOptions(),
      new Option("--incremental", "only files whose size or time of change differs"),
      new Option("--checksum", "with --incremental: compare contents"),
      new Option("--no-history", "do not keep what is overwritten"),
      new Option("--allow-other-root", "write where another directory's backups are"),
    ],
    async (options, directory = "") => await backup(directory, options),
  );
}

async function backup(directory: string, options: BackupOptions): Promise<number> {
  const body = requestFor(directory, options);
  const root = typeof body === "string" ? body : body.root;
  const begun = `Backing up ${name(root)}`;
  const start = { orchestrator: "backupSiteContent", body, kind: "backup", root, begun };
  return await withSession(options, (session) =>
    runToEnd(start, session, options, (run, { output }) => reportEnd(run, output, session.api, options)),
  );
}

/** The documentation's string body when nothing but the directory is said, the object otherwise. */
function requestFor(directory: string, options: BackupOptions): string | { root: string } {
  const { container, prefix, include, exclude, checksum, incremental, history, allowOtherRoot } = options;
  const root = pathForApp(directory, options.url);
  if (checksum && !incremental) {
    throw new Failure("--checksum says how --incremental compares; give both.");
  }
  const more = {
    container,
    prefix,
    include,
    exclude,
    ...(incremental ? { mode: "incremental" } : {}),
    checksum,
    allowOtherRoot,
    ...(history === false ? { keepVersions: false } : {}),
  };
  return Object.values(more).some((value) => value !== undefined) ? { root, ...more } : root;
}
