import { Option, type Command } from "commander";
import { LAYOUTS, type Layout } from "../../client/answers.ts";
import { printable } from "../../src/model/path.ts";
import { define, INTERRUPTED, SOME_FAILED } from "../define.ts";
import { Failure, Refusal } from "../failure.ts";
import { pathForApp } from "../local-path.ts";
import { PATTERN_HELP, patternOptions, type Patterns } from "../patterns.ts";
import { reportEnd } from "../report.ts";
import { runToEnd } from "../run-to-end.ts";
import { withSession, type CommonOptions } from "../session.ts";
import { placeOf } from "../../client/words.ts";

/** The options of `backup`. */
interface BackupOptions extends CommonOptions, Patterns {
  container?: string;
  prefix?: string;
  layout?: Layout;
  full?: boolean;
  incremental?: boolean;
  checksum?: boolean;
  history?: boolean;
  allowOtherRoot?: boolean;
  acceptFewer?: boolean;
}

export function addBackup(program: Command): void {
  define<BackupOptions>(
    program,
    {
      usage: "backup <dir>",
      description: "Back up what has changed in a directory, and follow the run to its end.",
      examples: [
        "site-backup backup ./wwwroot",
        "site-backup backup ./wwwroot --exclude node_modules --exclude '*.log'",
        "site-backup backup ./wwwroot --prefix packed --layout packs",
        "site-backup backup ./wwwroot --full",
      ],
      notes: PATTERN_HELP,
      exits: [SOME_FAILED, INTERRUPTED],
      json: ["started", "progress", "end"],
    },
    [
      new Option("--container <name>", 'the container to back up to (default: "backups")'),
      new Option("--prefix <folder>", "a folder in the container"),
      new Option(
        "--layout <layout>",
        "how a new destination keeps files: each as a blob of its own, or many in a pack, which is faster (default: as the app's BACKUP_LAYOUT says, else files)",
      ).choices(LAYOUTS),
      ...patternOptions(),
      new Option("--full", "copy every file"),
      new Option(
        "--incremental",
        "compare with the blobs, not with the record of the last backup; packs always use the record",
      ),
      new Option("--checksum", "compare contents, not sizes and times"),
      new Option("--no-history", "keep no old versions of what is overwritten; packs always keep them"),
      new Option(
        "--allow-other-root",
        "allow a destination that holds another directory's backups, and mix the two",
      ),
      new Option(
        "--accept-fewer",
        "accept the backup even if it finds less than a tenth of the files of the last one",
      ),
    ],
    async (options, directory = "") => await backup(directory, options),
  );
}

async function backup(directory: string, options: BackupOptions): Promise<number> {
  const body = requestFor(directory, options);
  const { root } = body;
  const begun = `Backing up ${printable(root)}`;
  const start = { orchestrator: "backupSiteContent", body, kind: "backup", root, begun };
  try {
    return await withSession(options, (session) =>
      runToEnd(start, session, options, (run, { output }) => reportEnd(run, output, session.api, options)),
    );
  } catch (error) {
    const otherRoot = error instanceof Refusal && error.problem["otherRoot"];
    if (typeof otherRoot !== "string") throw error;
    const place = placeOf({
      destination: { container: body.container ?? "backups", prefix: body.prefix ?? "" },
    });
    throw new Failure(
      `${place} holds the backups of ${otherRoot}. Give this directory a folder of its own with --prefix NAME, ` +
        "or mix the two with --allow-other-root.",
      { cause: error },
    );
  }
}

/** Always the object: the documentation's string body may mix the backups of two directories. */
function requestFor(directory: string, options: BackupOptions) {
  const { container, prefix, layout, include, exclude, checksum, full, incremental, history } = options;
  const { allowOtherRoot, acceptFewer } = options;
  if (full && (checksum || incremental))
    throw new Failure(`--full copies every file: leave out ${checksum ? "--checksum" : "--incremental"}.`);
  return {
    root: pathForApp(directory, options.url),
    container,
    prefix,
    layout,
    include,
    exclude,
    mode: full ? "full" : "incremental",
    ...(full || incremental ? {} : { compareWith: "record" }),
    checksum,
    allowOtherRoot,
    acceptFewer,
    ...(history === false ? { keepVersions: false } : {}),
  };
}
