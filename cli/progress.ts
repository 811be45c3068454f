import { Presets, SingleBar } from "cli-progress";
import type { Run } from "./answers.ts";
import type { CommonOptions } from "./session.ts";
import { outJson, paint } from "./print.ts";
import { bytes, duration, files } from "./words.ts";

/** Shows how a run goes, until it is closed. */
export interface ProgressView {
  update(run: Run): void;
  close(): void;
}

/** Plain lines come no more often than this. */
const PLAIN_EVERY_MS = 5_000;
/** What a file costs beside its bytes, so that the bar moves evenly. */
const FILE_COST = 64 * 1024;

/** A bar on a terminal, plain lines elsewhere, an object a line with --json, nothing with --quiet. */
export function createProgress(options: CommonOptions): ProgressView {
  if (options.json) return jsonLines();
  if (options.quiet) return { update: () => undefined, close: () => undefined };
  return process.stderr.isTTY ? bar() : plainLines();
}

function bar(): ProgressView {
  const line = new SingleBar(
    {
      format: (_options, { progress }, { words }: { words: string }) => `  ${drawn(progress)}  ${words}`,
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
      fps: 8,
    },
    Presets.rect,
  );
  line.start(1, 0, { words: "listing …" });
  return {
    update(run) {
      line.update(share(run), { words: words(run) });
    },
    close: () => line.stop(),
  };
}

const WIDTH = 20;

function drawn(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * WIDTH);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  return `${paint("cyan", "━".repeat(full), process.stderr)}${paint("dim", "━".repeat(WIDTH - full), process.stderr)} ${percent}`;
}

/** How much of what is known is done, from 0 to 1. Never the whole while more may be found. */
function share({ progress }: Run): number {
  if (!progress) return 0;
  const cost = (some: { files: number; bytes: number }): number => some.bytes + some.files * FILE_COST;
  const all = cost(progress.listed);
  return all === 0 ? 0 : Math.min(progress.listed.complete ? 1 : 0.99, cost(progress.settled) / all);
}

function plainLines(): ProgressView {
  let last = "";
  let said = Date.now();
  return {
    update(run) {
      const line = words(run);
      if (line === last || Date.now() - said < PLAIN_EVERY_MS) return;
      process.stderr.write(`${line}\n`);
      last = line;
      said = Date.now();
    },
    close: () => undefined,
  };
}

function jsonLines(): ProgressView {
  let last = "";
  return {
    update({ id, progress, counts }) {
      if (!progress) return;
      const { bytesPerSecond, secondsLeft = null, listed, settled } = progress;
      const mark = JSON.stringify([listed, settled]);
      if (mark === last) return;
      last = mark;
      outJson({ type: "progress", run: id, listed, settled, counts, bytesPerSecond, secondsLeft });
    },
    close: () => undefined,
  };
}

/** 5,157 of 10,000 files, 20.1 of 39.1 MiB, 8.1 MiB/s, 3 s left, 2 failed */
function words({ progress, counts }: Run): string {
  if (!progress || (progress.listed.files === 0 && !progress.listed.complete)) return "listing …";
  const { listed, settled, bytesPerSecond, secondsLeft } = progress;
  const failed = counts?.failed ?? 0;
  return [
    `${settled.files.toLocaleString("en-US")} of ${files(listed.files)}${listed.complete ? "" : " so far"}`,
    `${bytes(settled.bytes)} of ${bytes(listed.bytes)}`,
    `${bytes(bytesPerSecond)}/s`,
    ...(secondsLeft === undefined ? [] : [`${duration(secondsLeft * 1000)} left`]),
    ...(failed === 0 ? [] : [paint("red", `${failed.toLocaleString("en-US")} failed`, process.stderr)]),
  ].join(", ");
}
