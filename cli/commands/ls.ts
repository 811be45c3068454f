import { Option, type Command } from "commander";
import { bytes, moment } from "../../client/words.ts";
import { define, SOME_FAILED } from "../define.ts";
import { ExitCode } from "../failure.ts";
import { isBackedUp, Listing, type Found } from "../listing.ts";
import { modeText } from "../mode-text.ts";
import type { Narrowing } from "../narrowing.ts";
import { err, out, outJson } from "../print.ts";
import { RESTORABLE, resolveRun } from "../resolve-run.ts";
import { withSession } from "../session.ts";
import { pathInRun } from "../values.ts";

interface LsOptions extends Narrowing {
  long?: boolean;
  recursive?: boolean;
}

export function addLs(program: Command): void {
  define<LsOptions>(
    program,
    {
      usage: "ls <run> [path]",
      description: "List a directory of a backup.",
      examples: [
        "site-backup ls latest",
        "site-backup ls latest images/2026 -l",
        "site-backup ls latest~1 -R --json",
      ],
      exits: [SOME_FAILED],
      json: ["entry"],
    },
    [
      new Option("-l, --long", "modes, sizes, times, targets of links, and what could not be backed up"),
      new Option("-R, --recursive", "also all that is below, by paths from the backup's root"),
    ],
    async (options, run = "", path) => await ls(run, path, options),
  );
}

async function ls(run: string, path: string | undefined, options: LsOptions): Promise<number> {
  return await withSession(options, async (session) => {
    const id = await resolveRun(run, session, options, RESTORABLE);
    const listing = new Listing(session, id, pathInRun(path), options.recursive);
    let missing = 0;
    for await (const found of listing) {
      if (options.json) outJson({ type: "entry", ...describe(found) });
      else if (options.long) out(longLine(found, options));
      else if (isBackedUp(found.entry)) out(shown(found, options));
      else missing++;
    }
    if (missing > 0 && !options.quiet)
      err(`${missing} more ${missing === 1 ? "name is" : "names are"} not in this backup; -l says why.`);
    return listing.isIncomplete ? ExitCode.someFilesFailed : ExitCode.done;
  });
}

function describe({ path, escaped, entry: { name: _name, ...entry } }: Found): Record<string, unknown> {
  return { path, ...entry, escaped };
}

function shown({ path, entry, itself }: Found, { recursive }: LsOptions): string {
  return `${recursive || itself ? path : entry.name}${entry.kind === "directory" ? "/" : ""}`;
}

function longLine(found: Found, options: LsOptions): string {
  const { entry } = found;
  const { kind, size, mtime, mode = 0, target, outcome = "", reason } = entry;
  const columns = [
    (isBackedUp(entry) ? modeText(kind, mode) : outcome).padEnd(10),
    (kind === "file" && isBackedUp(entry) ? bytes(size) : "").padStart(10),
    (mtime === undefined ? "" : moment(new Date(mtime / 1000).toISOString()).slice(0, 16)).padEnd(16),
    shown(found, options),
  ];
  const after = target === undefined ? "" : ` -> ${target}`;
  return `${columns.join("  ")}${after}${reason === undefined ? "" : `: ${reason}`}`;
}
