import type { BackupOptions } from "./backup.ts";
import type { Counts, RunStatus } from "./api.ts";
import { ExitCode } from "./failure.ts";
import { bytes, duration, files } from "./words.ts";

/** Says how a run ended, and gives the exit code. */
export function report(status: RunStatus, elapsed: number, options: BackupOptions): number {
  const { instanceId: run, runtimeStatus, output, customStatus } = status;
  const counts = customStatus?.counts;
  const code = exitCode(status);
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ type: "end", run, status: runtimeStatus, exitCode: code, elapsedMs: elapsed, counts, output })}\n`,
    );
    return code;
  }
  if (code === ExitCode.failed) {
    process.stderr.write(`${message(output)}\n`);
    return code;
  }
  if (code === ExitCode.someFilesFailed) process.stderr.write(`${message(output)}\n`);
  if (counts) process.stdout.write(summary(run, counts, elapsed, options));
  if (runtimeStatus === "Completed") process.stdout.write(`Output:  ${JSON.stringify(output)}\n`);
  return code;
}

/** Some files failed, but others are backed up: 3, as restic has it. */
function exitCode({ runtimeStatus, customStatus }: RunStatus): number {
  if (runtimeStatus === "Completed") return ExitCode.done;
  const counts = customStatus?.counts;
  const backedUp = counts ? counts.copied + counts.unchanged : 0;
  return counts && counts.failed > 0 && backedUp > 0 ? ExitCode.someFilesFailed : ExitCode.failed;
}

function summary(run: string, counts: Counts, elapsed: number, options: BackupOptions): string {
  const rate = counts.bytes / Math.max(elapsed, 1);
  const others = (["unchanged", "vanished", "skipped", "failed"] as const)
    .filter((outcome) => counts[outcome] > 0)
    .map((outcome) => `, ${counts[outcome].toLocaleString("en-US")} ${outcome}`)
    .join("");
  const where = [options.container ?? "backups", options.prefix].filter(Boolean).join("/");
  return [
    `Files:   ${files(counts.copied)} copied${others}`,
    `Bytes:   ${bytes(counts.bytes)} in ${duration(elapsed)}, ${bytes(rate * 1000)}/s`,
    `Blobs:   container ${where}`,
    `Ledger:  container backup-runs, ${run}`,
    "",
  ].join("\n");
}

/** A failed run's output without the host's wrapping. */
function message(output: unknown): string {
  const text = typeof output === "string" && output !== "" ? output : "The run did not complete.";
  return text.replace(/^Orchestrator function '[^']*' failed: /, "");
}
