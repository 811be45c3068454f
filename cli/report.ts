import type { Api } from "./api.ts";
import type { FileOutcome, Run } from "../client/answers.ts";
import { COMMAND } from "./command-name.ts";
import { ExitCode } from "./failure.ts";
import { byOutcome, kindOf } from "./kinds.ts";
import { err, out, outJson, paint } from "./print.ts";
import type { CommonOptions } from "./session.ts";
import { bytes, duration, files, moment, number } from "../client/words.ts";

/** How many failed files are named at the end of a run; `files RUN --failed` names all. */
export const EXAMPLES = 10;

/** Some files failed, but others are backed up: 3, as restic has it; so has a suspect backup. A damaged one is a failure. */
export function exitCodeOf({ status, counts, kind, suspect }: Run): number {
  if (status === "completed") return ExitCode.done;
  if (suspect) return ExitCode.someFilesFailed;
  const backedUp = counts && kind !== "verify" ? counts.copied + counts.unchanged + (counts.deleted ?? 0) : 0;
  return status === "failed" && counts && counts.failed > 0 && backedUp > 0
    ? ExitCode.someFilesFailed
    : ExitCode.failed;
}

/** Reports how a run ended, and returns the exit code. */
export async function reportEnd(
  run: Run,
  output: unknown,
  api: Api,
  options: CommonOptions,
  more: Record<string, unknown> = {},
): Promise<number> {
  const code = exitCodeOf(run);
  if (options.json) {
    outJson({
      type: "end",
      exitCode: code,
      output: run.status === "completed" ? output : null,
      ...recordOf(run),
      ...more,
    });
    return code;
  }
  const someFailed = run.status === "failed" && (run.counts?.failed ?? 0) > 0;
  if (someFailed) for (const line of await failedFiles(run, api, process.stderr)) err(line);
  if (run.suspect || (code === ExitCode.failed && !someFailed)) err(failure(run));
  for (const warning of warningsOf(run)) err(`${paint("yellow", "Warning:", process.stderr)} ${warning}`);
  if ((code === ExitCode.failed && !someFailed) || options.quiet) return code;
  for (const line of summary(run)) out(line);
  if (run.status === "completed") out(row("Output", JSON.stringify(output)));
  return code;
}

/** A run's warnings that its message does not contain. */
export function warningsOf({ message: said = "", warnings = [] }: Run): string[] {
  return warnings.filter((warning) => !said.includes(warning));
}

/** A run as an object: the fields of --json. */
export function recordOf(run: Run): Record<string, unknown> {
  const {
    id,
    app,
    kind,
    of,
    dryRun,
    root,
    destination,
    layout,
    mode,
    status,
    started,
    finished,
    counts,
    settling,
    bytes: size,
    message: why,
    warnings,
    comparedWith,
    suspect,
    brokenOff,
    postdated,
    forgotten,
  } = run;
  return {
    run: id,
    ...(app === undefined ? {} : { app }),
    kind,
    ...(of === undefined ? {} : { of }),
    ...(dryRun === undefined ? {} : { dryRun }),
    root,
    destination,
    ...(layout === undefined ? {} : { layout }),
    mode,
    status,
    started,
    ...(finished === undefined ? {} : { finished }),
    ...(counts === undefined ? {} : { counts, bytes: size }),
    ...(settling ? { settling } : {}),
    ...(why === undefined ? {} : { message: why }),
    ...(warnings === undefined ? {} : { warnings }),
    ...(comparedWith === undefined ? {} : { comparedWith }),
    ...(suspect ? { suspect } : {}),
    ...(brokenOff ? { brokenOff } : {}),
    ...(postdated ? { postdated } : {}),
    ...(forgotten === undefined ? {} : { forgotten }),
  };
}

/** A run in a few lines, at its end and in `show`. A run canceled just now may still grow. */
export function summary(run: Run): string[] {
  const { counts, destination, kind, layout, message: said, of, root, settling, status } = run;
  const elapsed = Date.parse(run.finished ?? new Date().toISOString()) - Date.parse(run.started);
  const rate = (size: number): string =>
    `${bytes(size)} in ${duration(elapsed)}, ${bytes(size / (Math.max(elapsed, 1) / 1000))}/s`;
  // A dry run copies nothing, so it has no rate.
  const would = run.dryRun ? "would be: " : "";
  const amount = (size: number): string =>
    run.dryRun || kind === "prune" ? would + bytes(size) : rate(size);
  return [
    ...(counts ? [row("Files", would + byOutcome(run, counts) + (settling ? " so far" : ""))] : []),
    // A verification finds most files in lists, and does not count how much it reads.
    ...(counts && kind !== "verify" ? [row(kind === "prune" ? "Freed" : "Bytes", amount(counts.bytes))] : []),
    ...(kind === "restore" ? [row("Into", root)] : []),
    ...(of === undefined ? [] : [row("Backup", of)]),
    ...(status === "completed" && said !== undefined ? [row("Note", said)] : []),
    row("Blobs", destination.url),
    ...(layout === undefined ? [] : [row("Layout", layout)]),
    row("Record", ledgerOf(run)),
  ];
}

export function row(label: string, value: string): string {
  return `  ${paint("dim", label.padEnd(8))} ${value}`;
}

/** The address of a run's ledger: beside the blobs' container. */
function ledgerOf({ id, destination: { url, container, prefix } }: Run): string {
  const folders = prefix === "" ? [] : prefix.split("/");
  const account = url
    .split("/")
    .slice(0, -1 - folders.length)
    .join("/");
  return container === "" ? `backup-runs/${id}` : `${account}/backup-runs/${id}`;
}

/** Some of the failed files by name, and how to see the others. */
export async function failedFiles(run: Run, api: Api, stream: NodeJS.WriteStream): Promise<string[]> {
  const failed = run.counts?.failed ?? 0;
  const { items } = await api.files(run.id, { outcome: "failed", limit: String(EXAMPLES) });
  const more = failed - items.length;
  return [
    paint("red", `${files(failed)} ${kindOf(run).failed}:`, stream),
    ...items.map((file) => `  ${failedLine(file)}`),
    ...(more > 0 ? [`  … and ${number(more)} more: ${COMMAND} files ${run.id} --failed`] : []),
  ];
}

export function failedLine({ path, reason }: FileOutcome): string {
  return `${path}: ${reason ?? "unknown"}`;
}

/** Why a run failed, without the host's wrapping. */
function failure({ id, status, message: said, finished }: Run): string {
  if (status === "canceled") return `The run ${id} was canceled${finished ? ` at ${moment(finished)}` : ""}.`;
  return (said ?? `The run ${id} did not complete.`).replace(/^Orchestrator function '[^']*' failed: /, "");
}
