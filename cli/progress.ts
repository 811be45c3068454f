import { Presets, SingleBar } from "cli-progress";
import type { RunProgress, RunStatus } from "./api.ts";
import { bytes, duration, files } from "./words.ts";

/** Shows how a run goes, until it is closed. */
export interface Progress {
  update(status: RunStatus, progress: RunProgress | undefined): void;
  close(): void;
}

/** Plain lines come no more often than this. */
const PLAIN_EVERY_MS = 5_000;

/** A bar on a terminal, plain lines elsewhere, an object a line with --json, nothing with --quiet. */
export function createProgress(options: { json?: boolean; quiet?: boolean }): Progress {
  if (options.json) return jsonLines();
  if (options.quiet) return { update: () => undefined, close: () => undefined };
  return process.stderr.isTTY ? bar() : plainLines();
}

function bar(): Progress {
  const started = Date.now();
  const color = !process.env["NO_COLOR"];
  const line = new SingleBar(
    {
      format: `${color ? "\u001b[36m{bar}\u001b[39m" : "{bar}"}  {words}`,
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
    },
    Presets.rect,
  );
  line.start(1, 0, { words: "listing …" });
  return {
    update(_status, progress) {
      if (!progress) return;
      line.setTotal(Math.max(1, progress.listed.bytes));
      line.update(Math.min(progress.counts.bytes, progress.listed.bytes), {
        words: words(progress, Date.now() - started),
      });
    },
    close: () => line.stop(),
  };
}

function plainLines(): Progress {
  const started = Date.now();
  let last = "";
  let said = 0;
  return {
    update(_status, progress) {
      const line = progress ? words(progress, Date.now() - started) : "listing …";
      if (line === last || Date.now() - said < PLAIN_EVERY_MS) return;
      process.stderr.write(`${line}\n`);
      last = line;
      said = Date.now();
    },
    close: () => undefined,
  };
}

function jsonLines(): Progress {
  let last = "";
  return {
    update({ instanceId, runtimeStatus }, progress) {
      const line = JSON.stringify({ type: "status", run: instanceId, status: runtimeStatus, ...progress });
      if (line !== last) process.stdout.write(`${line}\n`);
      last = line;
    },
    close: () => undefined,
  };
}

/** 5,157 of 10,000 files, 20.1 of 39.1 MiB, 8.1 MiB/s, 3 s left, 2 failed */
function words({ counts, listed }: RunProgress, elapsed: number): string {
  if (listed.files === 0 && !listed.complete) return "listing …";
  const rate = counts.bytes / Math.max(elapsed, 1);
  const more = listed.complete ? "" : " or more";
  const left = listed.complete && rate > 0 ? (listed.bytes - counts.bytes) / rate : undefined;
  return [
    `${counts.copied.toLocaleString("en-US")} of ${files(listed.files)}${more}`,
    `${bytes(counts.bytes)} of ${bytes(listed.bytes)}`,
    `${bytes(rate * 1000)}/s`,
    ...(left === undefined ? [] : [`${duration(left)} left`]),
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
  ].join(", ");
}
