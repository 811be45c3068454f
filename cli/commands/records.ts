import type { FileOutcome, Page, Run } from "../answers.ts";
import { ExitCode, Failure, Interrupted } from "../failure.ts";
import { follow } from "../follow.ts";
import { err, name, out, outJson, paint, table } from "../print.ts";
import { exitCodeOf, failedLine, recordOf, reportEnd, row, summary } from "../report.ts";
import { withSession, type CommonOptions } from "../session.ts";
import { bytes, duration, moment, number, roughly } from "../words.ts";

export interface RunsOptions extends CommonOptions {
  kind?: string;
  status?: string;
  root?: string;
  container?: string;
  since?: string;
  until?: string;
  limit?: string;
}

/** Lists runs, newest first. */
export async function runs(options: RunsOptions): Promise<number> {
  const { kind, status, root, container } = options;
  const most = wholeNumber("--limit", options.limit ?? "20");
  const query = {
    kind,
    status,
    root,
    container,
    since: time("--since", options.since),
    until: time("--until", options.until),
  };
  return await withSession(options, async ({ api }) => {
    const found = await collect(most, (left, continuation) =>
      api.runs({ ...query, limit: String(Math.min(left, 1000)), continuation }),
    );
    if (options.json) for (const run of found) outJson({ type: "run", ...recordOf(run) });
    else if (found.length === 0) err("No runs.");
    else
      for (const line of table(
        ["Run", "Started", "Status", "Files", "Failed", "Bytes", "Took", "Directory"],
        found.map(runRow),
        [3, 4, 5, 6],
      ))
        out(line);
    return ExitCode.done;
  });
}

function runRow(run: Run): string[] {
  const { id, started, finished, status, counts, root, kind } = run;
  const done = counts ? counts.copied + counts.unchanged : 0;
  return [
    id,
    moment(started).slice(0, 16),
    kind === "backup" ? status : `${kind} ${status}`,
    counts ? number(done) : "",
    counts && counts.failed > 0 ? number(counts.failed) : "",
    counts ? bytes(counts.bytes) : "",
    finished ? duration(Date.parse(finished) - Date.parse(started)) : "",
    name(root),
  ];
}

/** Shows one run. */
export async function show(id: string, options: CommonOptions): Promise<number> {
  return await withSession(options, async ({ api }) => {
    const run = await api.run(id);
    if (options.json) {
      outJson({ type: "run", ...recordOf(run), ...(run.progress ? { progress: run.progress } : {}) });
      return ExitCode.done;
    }
    out(paint("bold", name(run.root)));
    out(row("Status", `${run.status}${run.mode === "incremental" ? " (incremental)" : ""}`));
    out(row("Started", moment(run.started)));
    if (run.finished) out(row("Finished", moment(run.finished)));
    for (const line of summary(run)) out(line);
    if (run.progress?.secondsLeft !== undefined)
      out(row("Left", `about ${roughly(run.progress.secondsLeft * 1000)}`));
    if (run.message !== undefined) out(row("Why", name(run.message)));
    return ExitCode.done;
  });
}

export interface FilesOptions extends CommonOptions {
  failed?: boolean;
  outcome?: string;
  prefix?: string;
  limit?: string;
}

/** Lists what became of a run's files, all pages of it. */
export async function files(id: string, options: FilesOptions): Promise<number> {
  const outcome = options.failed ? "failed" : options.outcome;
  const most = options.limit === undefined ? Infinity : wholeNumber("--limit", options.limit);
  return await withSession(options, async ({ api, interruption }) => {
    let left = most;
    let continuation: string | undefined;
    do {
      interruption.signal.throwIfAborted();
      const limit = String(Math.min(left, 5000));
      const page: Page<FileOutcome> = await api.files(id, {
        outcome,
        prefix: options.prefix,
        limit,
        continuation,
      });
      for (const file of page.items) printFile(file, options);
      left -= page.items.length;
      ({ continuation } = page);
    } while (continuation !== undefined && left > 0);
    return ExitCode.done;
  });
}

function printFile(file: FileOutcome, { json, failed }: FilesOptions): void {
  if (json) outJson({ type: "file", ...file });
  else if (failed) out(failedLine(file));
  else
    out(
      `${file.outcome.padEnd(9)}  ${bytes(file.size).padStart(10)}  ${file.reason ? failedLine(file) : name(file.path)}`,
    );
}

/** Cancels a run. */
export async function cancel(id: string, options: CommonOptions): Promise<number> {
  return await withSession(options, async ({ api }) => {
    const run = await api.cancel(id);
    if (options.json) outJson({ type: "run", ...recordOf(run) });
    else if (!options.quiet) {
      out(`Canceled ${id}. What was copied stays.`);
      for (const line of summary(run)) out(line);
    }
    return ExitCode.done;
  });
}

/** Follows a run to its end. */
export async function watch(id: string, options: CommonOptions): Promise<number> {
  return await withSession(options, async (session) => {
    const { api } = session;
    // Says so if there is no such run.
    const now = await api.run(id);
    if (now.status === "running" && !options.json && !options.quiet) err(begun(now));
    try {
      const run = await follow(id, session, options, (current) =>
        Promise.resolve(current && current.status !== "running" ? current : undefined),
      );
      if (options.json) {
        const code = exitCodeOf(run);
        outJson({ type: "end", exitCode: code, ...recordOf(run) });
        return code;
      }
      return await reportEnd(run, run.bytes, api, options);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      err(`The run ${id} goes on.`);
      return ExitCode.interrupted;
    }
  });
}

function begun({ kind, of, root }: Run): string {
  if (kind === "restore") return `Restoring ${of ?? ""} into ${name(root)}`;
  return kind === "verify" ? `Verifying ${of ?? ""}` : `Backing up ${name(root)}`;
}

async function collect<T>(
  most: number,
  next: (left: number, continuation: string | undefined) => Promise<Page<T>>,
): Promise<T[]> {
  const found: T[] = [];
  let continuation: string | undefined;
  do {
    const page = await next(most - found.length, continuation);
    found.push(...page.items);
    ({ continuation } = page);
  } while (continuation !== undefined && found.length < most);
  return found;
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Failure(`${option} takes a number from 1 on, not "${text}".`);
  return Number(text);
}

/** A time as the API takes it, from any that a person may write: 2026-11-23, "2026-11-23 18:00". */
function time(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const value = new Date(text);
  if (Number.isNaN(value.getTime()))
    throw new Failure(`${option} takes a time such as 2026-11-23T18:00, not "${text}".`);
  return value.toISOString();
}
