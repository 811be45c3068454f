import { stripVTControlCharacters } from "node:util";
import type { Run } from "../client/answers.ts";
import type { CommonOptions } from "./session.ts";
import { outJson, paint } from "./print.ts";
import { bytes, bytesOf, files, number, roughly } from "../client/words.ts";

/** Shows how a run goes, until it is closed. */
export interface ProgressView {
  update(run: Pick<Run, "id" | "progress" | "counts">): void;
  /** The app does not answer just now. */
  lost(): void;
  close(): void;
}

/** Plain lines come no more often than this. */
const PLAIN_EVERY_MS = 5_000;
/** Columns from which on there is room for a bar beside all words. */
const BAR_FROM = 90;
/** What a file costs beside its bytes, so that the bar moves evenly. */
const FILE_COST = 64 * 1024;
const LOST = "no answer, trying again …";
/** What stands before the words, without the bar: " 100%  ". */
const SHARE_WIDTH = 8;

/** A bar on a terminal, plain lines elsewhere, an object a line with --json, nothing with --quiet. */
export async function createProgress(options: CommonOptions): Promise<ProgressView> {
  if (options.json) return jsonLines();
  if (options.quiet) return { update: () => undefined, lost: () => undefined, close: () => undefined };
  return process.stderr.isTTY ? await bar() : plainLines();
}

async function bar(): Promise<ProgressView> {
  const { Presets, SingleBar } = await import("cli-progress");
  const line = new SingleBar(
    {
      format: (_options, { progress }, { parts }: { parts: readonly Part[] }) => {
        const words = fitting(parts, (process.stderr.columns ?? 80) - SHARE_WIDTH);
        return ` ${drawn(progress, words)}  ${words}`;
      },
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
      fps: 8,
    },
    Presets.rect,
  );
  let done = 0;
  line.start(1, 0, { parts: [{ text: "listing …", rank: 0 }] });
  return {
    update(run) {
      done = share(run);
      line.update(done, { parts: parts(run) });
    },
    lost: () => line.update(done, { parts: [{ text: LOST, rank: 0 }] }),
    close: () => line.stop(),
  };
}

/** A bar as wide as the words leave room for; none in a narrow terminal, where it would come and go. */
function drawn(share: number, words: string): string {
  const columns = process.stderr.columns ?? 80;
  const room = columns - stripVTControlCharacters(words).length - 10;
  const width = columns < BAR_FROM ? 0 : Math.min(30, Math.max(0, room));
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  const line = `${paint("cyan", "━".repeat(full), process.stderr)}${paint("dim", "─".repeat(width - full), process.stderr)}`;
  return `${width === 0 ? "" : `${line} `}${Math.floor(share * 100)}%`.padEnd(4);
}

/** How much of what is known is done, from 0 to 1. Never the whole while more may be found. */
function share({ progress }: Pick<Run, "progress">): number {
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
    lost() {
      if (last === LOST) return;
      process.stderr.write(`${LOST}\n`);
      last = LOST;
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
    lost: () => undefined,
    close: () => undefined,
  };
}

/** A part of the line, and how dispensable it is. */
interface Part {
  text: string;
  rank: number;
}

/** 5,157 of 10,000 files, 2 failed, 20.1 of 39.1 MiB, 8.1 MiB/s, 3 s left */
function parts({ progress, counts }: Pick<Run, "progress" | "counts">): Part[] {
  if (!progress || (progress.listed.files === 0 && !progress.listed.complete))
    return [{ text: "listing …", rank: 0 }];
  const { listed, settled, bytesPerSecond, secondsLeft } = progress;
  const failed = counts?.failed ?? 0;
  const known = `${number(settled.files)} of ${files(listed.files)}${listed.complete ? "" : " so far"}`;
  return [
    { text: known, rank: 0 },
    ...(failed === 0 ? [] : [{ text: paint("red", `${number(failed)} failed`, process.stderr), rank: 1 }]),
    { text: bytesOf(settled.bytes, listed.bytes), rank: 3 },
    { text: `${bytes(bytesPerSecond)}/s`, rank: 4 },
    ...(secondsLeft === undefined ? [] : [{ text: `${roughly(secondsLeft * 1000)} left`, rank: 2 }]),
  ];
}

function words(run: Pick<Run, "progress" | "counts">): string {
  return fitting(parts(run), Infinity);
}

/** The line without what a narrow terminal has no room for, the most dispensable first. */
function fitting(all: readonly Part[], width: number): string {
  for (let rank = 4; ; rank--) {
    const line = all
      .filter((part) => part.rank <= rank)
      .map(({ text }) => text)
      .join(", ");
    if (rank === 0 || stripVTControlCharacters(line).length <= width) return line;
  }
}
