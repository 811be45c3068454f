import { spawn, type ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { nodeOptions } from "../scripts/node-options.mjs";
import { Failure } from "./failure.ts";
import { takeLease, type Lease } from "./lease.ts";

/** The package's folder; this file runs as dist/cli/host.js. */
export const PACKAGE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
/** Loading the app and starting Azurite take about two seconds. */
const START_MS = 60_000;
/** Longer than a busy machine takes. */
const ANSWER_MS = 20_000;
const ANOTHER = "End it, choose another port with FUNCTIONS_PORT, or name an app with --url.";

/** A local host to talk to. */
export interface LocalHost {
  url: string;
  /** Keeps it running, if a command started it; undefined for one that stays by itself. */
  lease: Lease | undefined;
  /** Its last output, if this command started it. */
  said(): string;
}

/** Where the local host is, if it runs. */
export function localUrl(): { url: string; port: string } {
  const port = process.env["FUNCTIONS_PORT"] ?? "7071";
  return { url: `http://127.0.0.1:${port}`, port };
}

/**
 * Finds the running local host, or starts one. A host started here serves other commands too, and ends with the last
 * of them, however they end.
 * @param signal cancels the start
 * @throws Failure if it does not start, or another program uses its port
 */
export async function useLocalHost(say: (line: string) => void, signal: AbortSignal): Promise<LocalHost> {
  const { url, port } = localUrl();
  const running = await join(url, port, signal);
  if (running) return running;
  say("Starting the local host …");
  // In its own process group: Ctrl-C is meant for this command, and the host may serve others. Over the channel the
  // host reports that it is ready, and notices if this process dies before it holds a lease.
  const child = spawn(
    process.execPath,
    [
      ...nodeOptions(process.env),
      path.join(PACKAGE, "dist", "local", "main.js"),
      "--app",
      PACKAGE,
      "--port",
      port,
      "--while-used",
    ],
    { cwd: PACKAGE, stdio: ["ignore", "ignore", "pipe", "ipc"], detached: true },
  );
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4000)));
  try {
    await ready(child, () => said, signal);
    const lease = await takeLease(url);
    leaveAlone(child);
    return { url, lease, said: () => said.trim() };
  } catch (error) {
    await stop(child);
    // Another command may have started one at the same time.
    const other = await join(url, port, signal);
    if (other) return other;
    throw error;
  }
}

/** The host that is already running. @returns undefined if there is none */
async function join(url: string, port: string, signal: AbortSignal): Promise<LocalHost | undefined> {
  while (await answers(url, port, signal)) {
    try {
      return { url, lease: await takeLease(url), said: () => "" };
    } catch {
      // It ended between these two requests.
    }
  }
  return undefined;
}

async function ready(child: ChildProcess, said: () => string, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) =>
      reject(new Failure(`The local host did not start${why}. ${said().trim()}`.trim()));
    const late = setTimeout(() => fail(` within ${START_MS / 1000} s`), START_MS);
    const settle = (): void => clearTimeout(late);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    child.once("message", () => {
      settle();
      resolve();
    });
    child.once("error", (error) => fail(`: ${error.message}`));
    // Not "exit": its standard error may arrive after that.
    child.once("close", () => {
      settle();
      fail("");
    });
  });
}

/** Lets the host outlive this process. */
function leaveAlone(child: ChildProcess): void {
  child.disconnect();
  child.unref();
  (child.stderr as Socket | null)?.unref();
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  await ended;
}

/** Whether a Functions host answers; waits for one that is still starting. @throws Failure if something else does */
async function answers(url: string, port: string, signal: AbortSignal): Promise<boolean> {
  for (const end = Date.now() + START_MS; ; await sleep(250)) {
    signal.throwIfAborted();
    let response;
    try {
      response = await fetch(`${url}/admin/host/status`, { signal: AbortSignal.timeout(ANSWER_MS) });
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      if (code === "ECONNREFUSED") return false;
      if ((error as Error).name === "TimeoutError")
        throw new Failure(`The program on port ${port} of this machine does not answer. ${ANOTHER}`);
      throw occupied(port);
    }
    const text = await response.text();
    if (response.ok && text.includes('"state"')) return true;
    if (response.status !== 503) throw occupied(port);
    if (Date.now() > end)
      throw new Failure(`The local host on port ${port} has not become ready within a minute. ${ANOTHER}`);
  }
}

function occupied(port: string): Failure {
  return new Failure(`Port ${port} is in use by another program. ${ANOTHER}`);
}
