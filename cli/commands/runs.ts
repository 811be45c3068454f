import { Option, type Command } from "commander";
import { printable } from "../../src/model/path.ts";
import type { Counts, Run } from "../../client/answers.ts";
import { define } from "../define.ts";
import { ExitCode } from "../failure.ts";
import { narrowed, narrowingOptions, type Narrowing } from "../narrowing.ts";
import { allRuns } from "../pages.ts";
import { err, out, outJson, paint, table, type Column } from "../print.ts";
import { failedFiles, recordOf, row, summary, warningsOf } from "../report.ts";
import { ENDED, resolveRun, SHORT_ID } from "../resolve-run.ts";
import { withSession } from "../session.ts";
import { time, wholeNumber } from "../values.ts";
import { bytes, duration, moment, number, roughly, subjectOf } from "../../client/words.ts";

interface RunsOptions extends Narrowing {
  kind?: string;
  status?: string;
  since?: string;
  until?: string;
  limit?: string;
}

const COLUMNS: readonly Column[] = [
  { heading: "Run" },
  { heading: "Started", rank: 1 },
  { heading: "Status" },
  { heading: "Files", right: true, rank: 3 },
  { heading: "Failed", right: true, rank: 2 },
  { heading: "Bytes", right: true, rank: 4 },
  { heading: "Took", right: true, rank: 5 },
  { heading: "Directory" },
];

export function addRuns(program: Command): void {
  define<RunsOptions>(
    program,
    {
      usage: "runs",
      description: "List runs, newest first.",
      examples: ["site-backup runs --status failed --since 2026-11-01", "site-backup runs --kind all --json"],
      json: ["run"],
    },
    [
      new Option("--kind <kind>", 'only of this kind (default: "backup")').choices([
        "backup",
        "restore",
        "verify",
        "prune",
        "all",
      ]),
      new Option("--status <status>", "only with this status").choices([
        "running",
        "completed",
        "failed",
        "canceled",
        "skipped",
      ]),
      ...narrowingOptions("only those"),
      new Option("--since <time>", "only those that started at this time or later"),
      new Option("--until <time>", "only those that started at this time or earlier"),
      new Option("--limit <n>", "at most this many (default: 20)"),
    ],
    runs,
  );
}

export function addShow(program: Command): void {
  define(
    program,
    {
      usage: "show <run>",
      description: "Show one run.",
      examples: ["site-backup show latest", "site-backup show 1d0e432730114054a8168f3e14bea06b"],
      json: ["run"],
    },
    [],
    async (options, run = "") => await show(run, options),
  );
}

async function runs(options: RunsOptions): Promise<number> {
  const { kind, status } = options;
  const most = wholeNumber("--limit", options.limit ?? "20");
  const query = {
    kind,
    status,
    ...narrowed(options),
    since: time("--since", options.since),
    until: time("--until", options.until),
  };
  return await withSession(options, async (session) => {
    const found: Run[] = [];
    for await (const run of allRuns(session, query, most)) found.push(run);
    if (options.json) for (const run of found) outJson({ type: "run", ...recordOf(run) });
    else if (found.length === 0) err("No runs.");
    else for (const line of table(COLUMNS, found.map(runRow))) out(line);
    return ExitCode.done;
  });
}

function runRow(run: Run): string[] {
  const { id, started, finished, counts, settling } = run;
  return [
    // A table on a terminal, else text for programs.
    process.stdout.isTTY ? id.slice(0, SHORT_ID) : id,
    moment(started).slice(0, 16),
    statusOf(run),
    counts ? `${number(doneBy(run.kind, counts))}${settling ? "+" : ""}` : "",
    counts && counts.failed > 0 ? number(counts.failed) : "",
    // A verification does not count what it reads.
    counts && run.kind !== "verify" ? bytes(counts.bytes) : "",
    finished ? duration(Date.parse(finished) - Date.parse(started)) : "",
    subjectOf(run),
  ];
}

/** Files that are in order now; for a prune what it deleted, because what it leaves unchanged are runs. */
function doneBy(kind: string, { copied, unchanged, deleted = 0 }: Counts): number {
  return kind === "prune" ? deleted : copied + unchanged;
}

async function show(typed: string, options: Narrowing): Promise<number> {
  return await withSession(options, async (session) => {
    const { api } = session;
    const run = await api.run(await resolveRun(typed, session, options, ENDED));
    if (options.json) {
      outJson({ type: "run", ...recordOf(run), ...(run.progress ? { progress: run.progress } : {}) });
      return ExitCode.done;
    }
    out(paint("bold", subjectOf(run)));
    out(row("Run", run.id));
    if (run.app !== undefined) out(row("App", run.app));
    out(row("Status", statusOf(run)));
    out(row("Started", moment(run.started)));
    if (run.finished) out(row("Finished", moment(run.finished)));
    for (const line of summary(run)) out(line);
    if (run.comparedWith) out(row("Compared", comparedWith(run.comparedWith)));
    if (run.progress?.secondsLeft !== undefined)
      out(row("Left", `about ${roughly(run.progress.secondsLeft * 1000)}`));
    // Its message would name the first few of them in one long line.
    const someFailed = (run.counts?.failed ?? 0) > 0;
    if (someFailed) for (const line of await failedFiles(run, api, process.stdout)) out(line);
    if (run.message !== undefined && (run.suspect || (!someFailed && run.status !== "completed")))
      out(row("Why", run.message));
    for (const warning of warningsOf(run)) out(row("Warning", warning));
    return ExitCode.done;
  });
}

function comparedWith(compared: NonNullable<Run["comparedWith"]>): string {
  return "run" in compared
    ? `with the record of ${compared.run}`
    : `with the destination: ${printable(compared.because)}`;
}

function statusOf({ status, kind, layout, mode, dryRun, suspect, postdated }: Run): string {
  const packs = layout === "packs" ? [layout] : [];
  if (kind !== "backup") return [`${kind}${dryRun ? " (dry run)" : ""} ${status}`, ...packs].join(", ");
  return [
    suspect ? "suspect" : status,
    ...(mode === "incremental" ? [mode] : []),
    ...packs,
    ...(postdated ? ["dated in the future"] : []),
  ].join(", ");
}
