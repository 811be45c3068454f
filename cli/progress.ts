import { Presets, SingleBar } from "cli-progress";
import type { RunStatus } from "./api.ts";
import { bytes, duration, files } from "./words.ts";

/** Shows how a run goes, until it is closed. */
export interface Progress {
  update(status: RunStatus): void;
  close(): void;
}

/** How long without news until a plain line says that it still goes on. */
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
    update(status) {
      const at = place(status);
      line.setTotal(Math.max(1, at.total));
      line.update(Math.min(at.done, at.total), { words: `${at.words}  ${duration(Date.now() - started)}` });
    },
    close: () => line.stop(),
  };
}

function plainLines(): Progress {
  let last = "";
  let said = 0;
  return {
    update(status) {
      const { words } = place(status);
      if (status.runtimeStatus !== "Pending" && status.runtimeStatus !== "Running") return;
      if (words === last && Date.now() - said < PLAIN_EVERY_MS) return;
      process.stderr.write(`${words}\n`);
      last = words;
      said = Date.now();
    },
    close: () => undefined,
  };
}

function jsonLines(): Progress {
  let last = "";
  return {
    update({ instanceId, runtimeStatus, customStatus }) {
      const line = JSON.stringify({
        type: "status",
        run: instanceId,
        status: runtimeStatus,
        ...customStatus,
      });
      if (line !== last) process.stdout.write(`${line}\n`);
      last = line;
    },
    close: () => undefined,
  };
}

/** Where a run is: bytes done of a total, and the same in words. */
function place({ customStatus }: RunStatus): { done: number; total: number; words: string } {
  const { phase, listed, counts } = customStatus ?? {};
  if (counts) {
    const done = counts.bytes + counts.unchangedBytes;
    return { done, total: done, words: `${files(counts.copied)} copied, ${bytes(counts.bytes)}` };
  }
  if (!listed) return { done: 0, total: 1, words: phase === undefined ? "waiting" : "listing" };
  const found = `${files(listed.files)}, ${bytes(listed.bytes)}${listed.complete ? "" : " and more being listed"}`;
  return { done: 0, total: listed.bytes, words: `copying ${found}` };
}
