import { Option, type Command } from "commander";
import type { FileOutcome } from "../../client/answers.ts";
import { define } from "../define.ts";
import { ExitCode, Failure } from "../failure.ts";
import type { Narrowing } from "../narrowing.ts";
import { allOf } from "../pages.ts";
import { out, outJson } from "../print.ts";
import { failedLine } from "../report.ts";
import { ENDED, resolveRun } from "../resolve-run.ts";
import { withSession } from "../session.ts";
import { pathInRun, wholeNumber } from "../values.ts";
import { bytes } from "../../client/words.ts";

interface FilesOptions extends Narrowing {
  failed?: boolean;
  outcome?: string;
  path?: string;
  find?: string;
  deleted?: boolean;
  limit?: string;
}

export function addFiles(program: Command): void {
  define<FilesOptions>(
    program,
    {
      usage: "files <run>",
      description: "List a run's files and their outcomes.",
      examples: [
        "site-backup files latest --failed",
        "site-backup files 1d0e432730114054a8168f3e14bea06b --path images --json",
      ],
      json: ["file", "deleted"],
    },
    [
      new Option("--failed", "only those that failed, with the reason"),
      new Option("--outcome <outcome>", "only those with this outcome").choices([
        "copied",
        "unchanged",
        "vanished",
        "skipped",
        "failed",
        "deleted",
      ]),
      new Option("--path <path>", "only this file, or those below this directory"),
      new Option("--find <text>", "only those whose path or reason contains this"),
      new Option("--deleted", "list what a restore deleted, or a dry run would delete"),
      new Option("--limit <n>", "at most this many (default: all)"),
    ],
    async (options, run = "") => await files(run, options),
  );
}

/** All pages. */
async function files(run: string, options: FilesOptions): Promise<number> {
  const { find: text } = options;
  const path = pathInRun(options.path);
  const outcome = options.failed ? "failed" : options.outcome;
  const most = options.limit === undefined ? Infinity : wholeNumber("--limit", options.limit);
  if (options.deleted && (outcome ?? path ?? text) !== undefined)
    throw new Failure("--deleted lists what a restore deleted, and cannot be combined with other filters.");
  return await withSession(options, async (session) => {
    const { api, interruption } = session;
    const id = await resolveRun(run, session, options, ENDED);
    if (options.deleted) {
      for await (const { path: name, kind } of allOf((page) => api.deleted(id, page), interruption, most)) {
        if (options.json) outJson({ type: "deleted", path: name, kind });
        else out(name);
      }
      return ExitCode.done;
    }
    const query = { outcome, path, text };
    for await (const file of allOf((page) => api.files(id, { ...query, ...page }), interruption, most))
      printFile(file, options);
    return ExitCode.done;
  });
}

function printFile(file: FileOutcome, { json, failed }: FilesOptions): void {
  if (json) outJson({ type: "file", ...file });
  else if (failed) out(failedLine(file));
  else
    out(
      `${file.outcome.padEnd(9)}  ${bytes(file.size).padStart(10)}  ${file.reason ? failedLine(file) : file.path}`,
    );
}
