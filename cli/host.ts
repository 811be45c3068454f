import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { nodeOptions } from "../local/node-options.ts";
import { Failure } from "./failure.ts";

/** The package: this file is dist/cli/host.js when it runs. */
export const PACKAGE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
/** Loading the app and starting Azurite take about two seconds. */
const START_MS = 60_000;
/** Longer than a busy machine takes. */
const ANSWER_MS = 20_000;
const ANOTHER = "End it, choose another port with FUNCTIONS_PORT, or name an app with --url.";
/** Its running functions get five seconds, then Azurite ends. */
const END_MS = 20_000;

/** A local host to talk to. */
export interface LocalHost {
  url: string;
  /** Started by this command, which ends it when it ends. */
  own: boolean;
  /** What it said last, when it was started by this command and has ended by itself; undefined while it runs. */
  died(): string | undefined;
  stop(): Promise<void>;
}

/**
 * The local host that runs, or one that is started for this command and ends with it, however this command ends.
 * @param signal gives up starting
 * @throws Failure when it does not start, or something else has its port
 */
export async function useLocalHost(say: (line: string) => void, signal: AbortSignal): Promise<LocalHost> {
  const port = process.env["FUNCTIONS_PORT"] ?? "7071";
  const url = `http://127.0.0.1:${port}`;
  if (await answers(url, port, signal))
    return { url, own: false, died: () => undefined, stop: () => Promise.resolve() };
  say("Starting the local host …");
  // In a process group of its own: Ctrl-C is for this command, which then ends the host. Over the channel the host says
  // that it is ready, and learns when this process is gone.
  const child = spawn(
    process.execPath,
    [
      ...nodeOptions(process.env),
      path.join(PACKAGE, "dist", "local", "main.js"),
      "--app",
      PACKAGE,
      "--port",
      port,
    ],
    { cwd: PACKAGE, stdio: ["ignore", "pipe", "pipe", "ipc"], detached: true },
  );
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4000)));
  const died = (): string | undefined => (hasEnded(child) ? said.trim() : undefined);
  try {
    return { url: await ready(child, () => said, signal), own: true, died, stop: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

async function ready(child: ChildProcess, said: () => string, signal: AbortSignal): Promise<string> {
  child.stdout?.resume();
  return await new Promise<string>((resolve, reject) => {
    const fail = (why: string) =>
      reject(new Failure(`The local host did not start${why}. ${said().trim()}`.trim()));
    const late = setTimeout(() => fail(` within ${START_MS / 1000} s`), START_MS);
    const settle = (): void => clearTimeout(late);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    child.once("message", ({ url }: { url: string }) => {
      settle();
      // By address, so that no name resolution comes between.
      resolve(url.replace("localhost", "127.0.0.1"));
    });
    child.once("error", (error) => fail(`: ${error.message}`));
    // Not "exit": what it said on standard error may come after that.
    child.once("close", () => {
      settle();
      fail("");
    });
  });
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  const late = setTimeout(() => child.kill("SIGKILL"), END_MS);
  await ended;
  clearTimeout(late);
}

/** Whether a Functions host answers; one that is still starting is waited for. @throws Failure when something else does */
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
        throw new Failure(`What has the port ${port} on this machine does not answer. ${ANOTHER}`);
      throw occupied(port);
    }
    const text = await response.text();
    if (response.ok && text.includes('"state"')) return true;
    if (response.status !== 503) throw occupied(port);
    if (Date.now() > end)
      throw new Failure(`The local host on the port ${port} has been starting for a minute. ${ANOTHER}`);
  }
}

function occupied(port: string): Failure {
  return new Failure(`Something that is no Functions host has the port ${port} on this machine. ${ANOTHER}`);
}
