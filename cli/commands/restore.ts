import { Option, type Command } from "commander";
import { printable } from "../../src/model/path.ts";
import { COMMAND } from "../command-name.ts";
import { define, INTERRUPTED, SOME_FAILED } from "../define.ts";
import { Failure } from "../failure.ts";
import { wouldDo } from "../kinds.ts";
import { pathForApp } from "../local-path.ts";
import type { Narrowing } from "../narrowing.ts";
import { allOf } from "../pages.ts";
import { PATTERN_HELP, patternOptions, type Patterns } from "../patterns.ts";
import { out } from "../print.ts";
import { EXAMPLES, exitCodeOf, reportEnd, row } from "../report.ts";
import { runToEnd } from "../run-to-end.ts";
import { RESTORABLE, resolveRun } from "../resolve-run.ts";
import { withSession, type Session } from "../session.ts";
import { pathInRun, time } from "../values.ts";
import { number } from "../../client/words.ts";

interface RestoreOptions extends Narrowing, Patterns {
  to: string;
  at?: string;
  path?: string;
  overwrite?: string;
  delete?: boolean;
  dryRun?: boolean;
}

export function addRestore(program: Command): void {
  define<RestoreOptions>(
    program,
    {
      usage: "restore [run]",
      description:
        "Restore a backup into a directory: a given run, the latest, or the state at a given time.",
      examples: [
        "site-backup restore 1d0e432730114054a8168f3e14bea06b --to ./restored",
        "site-backup restore latest --to ./wwwroot --delete --dry-run",
        "site-backup restore latest --to ./wwwroot --path images/2026",
        "site-backup restore '2026-11-23 18:00' --to ./restored --include '*.html'",
      ],
      notes: PATTERN_HELP,
      exits: [SOME_FAILED, INTERRUPTED],
      json: ["started", "progress", "end"],
    },
    [
      new Option("--to <dir>", "the directory to restore into; created if missing").makeOptionMandatory(),
      new Option("--at <time>", "the same as giving this time as the run"),
      new Option("--path <path>", "only this file, or this directory and what is below it"),
      ...patternOptions(),
      new Option("--overwrite <which>", 'which existing files to overwrite (default: "changed")').choices([
        "never",
        "changed",
        "always",
      ]),
      new Option("--delete", "delete what is in the directory but not in the backup"),
      new Option("--dry-run", "change nothing; only say what would be done"),
    ],
    async (options, run) => await restore(run, options),
  );
}

async function restore(run: string | undefined, options: RestoreOptions): Promise<number> {
  const at = time("--at", options.at);
  const typed = run ?? options.at;
  if (typed === undefined || (run !== undefined && at !== undefined))
    throw new Failure('Say what to restore: either a run ("latest" for the newest) or a time with --at.');
  const { include, exclude, overwrite, dryRun } = options;
  const to = pathForApp(options.to, options.url);
  const path = pathInRun(options.path);
  return await withSession(options, async (session) => {
    const { api } = session;
    const of = await resolveRun(typed, session, options, RESTORABLE);
    const body = {
      run: of,
      path,
      to,
      include,
      exclude,
      overwrite,
      delete: options.delete,
      dryRun,
    };
    const begun = `${dryRun ? "Trying to restore" : "Restoring"} ${path === undefined ? "" : `${printable(path)} of `}${of} into ${printable(to)}`;
    const start = { orchestrator: "restoreSiteContent", body, kind: "restore", root: to, begun };
    return await runToEnd(start, session, options, async (ended, { output }) => {
      const words = !options.json && !options.quiet;
      if (dryRun && words && ended.status === "completed" && ended.counts) {
        out(`${wouldDo(ended.counts)}. Nothing was written.`);
        if (ended.counts.copied > 0) out(`To see which: ${COMMAND} files ${ended.id} --outcome copied`);
        if (options.delete) await nameDeleted(ended.id, session);
        return exitCodeOf(ended);
      }
      const code = await reportEnd(ended, output, api, options);
      if (options.delete && words && ended.counts)
        out(row("Deleted", number(await deletedBy(ended.id, session))));
      return code;
    });
  });
}

async function nameDeleted(id: string, session: Session): Promise<void> {
  const { items } = await session.api.deleted(id, { limit: String(EXAMPLES) });
  const all = items.length < EXAMPLES ? items.length : await deletedBy(id, session);
  out(all === 0 ? "Nothing would be deleted." : `${number(all)} would be deleted:`);
  for (const { path } of items) out(`  ${path}`);
  if (all > items.length) out(`  … and ${number(all - items.length)} more: ${COMMAND} files ${id} --deleted`);
}

async function deletedBy(id: string, { api, interruption }: Session): Promise<number> {
  let count = 0;
  for await (const _name of allOf((page) => api.deleted(id, page), interruption)) count++;
  return count;
}
