import { Option, type Command } from "commander";
import { printable } from "../../src/model/path.ts";
import type { Api } from "../api.ts";
import type { Run, Status } from "../../client/answers.ts";
import { COMMAND } from "../command-name.ts";
import { define, INTERRUPTED, SOME_FAILED } from "../define.ts";
import { Failure } from "../failure.ts";
import { out } from "../print.ts";
import { exitCodeOf, reportEnd } from "../report.ts";
import { runToEnd } from "../run-to-end.ts";
import { withSession, type CommonOptions } from "../session.ts";
import { bytes, number, placeOf } from "../../client/words.ts";

const KEPT = ["keepLast", "keepHourly", "keepDaily", "keepWeekly", "keepMonthly", "keepYearly"] as const;

interface PruneOptions extends CommonOptions, Partial<Record<(typeof KEPT)[number], string>> {
  container?: string;
  prefix?: string;
  keepWithin?: string;
  dryRun?: boolean;
}

export function addPrune(program: Command): void {
  const keep = (flag: string, what: string): Option => new Option(`--keep-${flag} <n>`, `keep ${what}`);
  const each = (unit: string): string => `the newest of each of the last n ${unit}s that have one`;
  define<PruneOptions>(
    program,
    {
      usage: "prune",
      description: "Forget the backups that no --keep option keeps, and delete what only they need.",
      examples: [
        "site-backup prune --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run",
        "site-backup prune --keep-within 90d --container backups --prefix www",
      ],
      exits: [SOME_FAILED, INTERRUPTED],
      json: ["started", "progress", "end"],
    },
    [
      keep("last", 'the newest n; each n may be "unlimited"'),
      keep("hourly", each("hour")),
      keep("daily", each("day")),
      keep("weekly", each("week")),
      keep("monthly", each("month")),
      keep("yearly", each("year")),
      new Option(
        "--keep-within <span>",
        "keep all that are at most this much older than the newest, such as 30d or 1y2m3d4h",
      ),
      new Option("--container <name>", 'the container to prune (default: "backups")'),
      new Option("--prefix <folder>", "only this folder in the container"),
      new Option("--dry-run", "delete nothing; only say what would be deleted"),
    ],
    prune,
  );
}

async function prune(options: PruneOptions): Promise<number> {
  const { container, prefix, keepWithin, dryRun } = options;
  const counts = Object.fromEntries(
    KEPT.filter((option) => options[option] !== undefined).map((option) => [
      option,
      amount(option, options[option] ?? ""),
    ]),
  );
  if (keepWithin === undefined && Object.values(counts).every((count) => count === 0))
    throw new Failure("Say what to keep, e.g. --keep-daily 7: a prune that keeps nothing is refused.");
  const body = { container, prefix, ...counts, keepWithin, dryRun };
  const begun = `${dryRun ? "Looking for what to prune" : "Pruning"} in ${[container ?? "backups", prefix].filter(Boolean).join("/")}`;
  const start = { orchestrator: "pruneBackups", body, kind: "prune", begun };
  return await withSession(options, (session) =>
    runToEnd(start, session, options, (run, status) => report(run, status, session.api, options)),
  );
}

async function report(
  run: Run,
  { output, customStatus }: Status,
  api: Api,
  options: PruneOptions,
): Promise<number> {
  const { runs } = (customStatus ?? {}) as { runs?: { kept: number; forgotten: number } };
  const more = runs === undefined ? {} : { runs };
  const words = !options.json && !options.quiet;
  if (!words || run.status !== "completed" || !run.counts || !runs)
    return await reportEnd(run, output, api, options, more);
  const { dryRun } = options;
  const { deleted = 0, bytes: size } = run.counts;
  if (runs.forgotten + runs.kept === 0) {
    out(`There are no backups in ${placeOf(run)}.`);
    return exitCodeOf(run);
  }
  const would = dryRun ? "would be " : "";
  out(
    `${number(runs.forgotten)} ${runs.forgotten === 1 ? "run" : "runs"} ${would}forgotten, ${number(runs.kept)} ${would}kept.`,
  );
  out(
    `${number(deleted)} blobs, snapshots, versions and records ${would}deleted: ${bytes(size)}.${dryRun ? " Nothing was." : ""}`,
  );
  if (runs.forgotten > 0) out(`To see which: ${COMMAND} files ${run.id}`);
  return exitCodeOf(run);
}

/** @throws Failure */
function amount(option: string, text: string): number | "unlimited" {
  if (text === "unlimited") return text;
  const flag = `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (!/^\d{1,7}$/.test(text))
    throw new Failure(`${flag} takes a number or "unlimited", not "${printable(text)}".`);
  return Number(text);
}
