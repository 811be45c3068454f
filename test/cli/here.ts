/** Runs the command line in this process: what a process costs to start is more than what most commands take. */
import { vi } from "vitest";
import { createProgram } from "../../cli/program.ts";
import { runProgram } from "../../cli/run.ts";
import type { Ended } from "./command.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** As for a process of its own (command.ts). */
const ENVIRONMENT = { SITE_BACKUP_URL: undefined, SITE_BACKUP_KEY: undefined, npm_command: undefined };

/** Two at once would write into each other's output. */
let before: Promise<unknown> = Promise.resolve();

/** As `run` of command.ts, where nothing is asked of the process itself: no signal, no folder to stand in, no input. */
export function here(
  args: string[],
  { env = {} }: { env?: Record<string, string | undefined> } = {},
): Promise<Ended> {
  const ended = before.then(() => runHere(args, { ...ENVIRONMENT, ...env }));
  before = ended.catch(() => undefined);
  return ended;
}

async function runHere(args: string[], env: Record<string, string | undefined>): Promise<Ended> {
  const [stdout, stderr] = [take(process.stdout), take(process.stderr)];
  const { exitCode } = process;
  const listeners = SIGNALS.map((name) => process.listeners(name));
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  process.exitCode = 0;
  try {
    await runProgram(createProgram("0.0.0"), args);
    return { code: Number(process.exitCode), stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.exitCode = exitCode;
    vi.unstubAllEnvs();
    for (const stream of [stdout, stderr]) stream.giveBack();
    for (const [index, name] of SIGNALS.entries())
      for (const listener of process.listeners(name))
        if (!listeners[index]?.includes(listener)) process.off(name, listener);
  }
}

function take(stream: NodeJS.WriteStream): { text: () => string; giveBack: () => void } {
  const chunks: Buffer[] = [];
  const write = vi.spyOn(stream, "write").mockImplementation((chunk) => {
    chunks.push(Buffer.from(chunk));
    return true;
  });
  return { text: () => Buffer.concat(chunks).toString(), giveBack: () => write.mockRestore() };
}
