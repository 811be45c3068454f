import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Failure } from "./failure.ts";

/** The repository: this file is dist/cli/local-host.js when it runs. */
const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
const PORT = process.env["FUNCTIONS_PORT"] ?? "7071";
/** Loading the app and starting Azurite take about two seconds. */
const START_MS = 60_000;

/** A local host to talk to. */
export interface LocalHost {
  url: string;
  /** Started by this command, which ends it when it ends. */
  own: boolean;
  stop(): Promise<void>;
}

/** The local host that runs, or one that is started for this command. @throws Failure when it does not start */
export async function useLocalHost(say: (line: string) => void): Promise<LocalHost> {
  const url = `http://127.0.0.1:${PORT}`;
  if (await answers(url)) return { url, own: false, stop: () => Promise.resolve() };
  say("Starting the local host …");
  const folder = await mkdtemp(path.join(tmpdir(), "site-backup-"));
  const readyFile = path.join(folder, "ready.json");
  // In a group of its own: Ctrl-C is for this command, which then ends the host.
  const child = spawn(
    process.execPath,
    [path.join(ROOT, "dist", "local", "main.js"), "--app", ROOT, "--port", PORT, "--ready-file", readyFile],
    { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  let errors = "";
  child.stdout.resume();
  child.stderr.on("data", (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)));
  try {
    const ready = await waitUntilReady(child, readyFile, () => errors);
    return { url: ready.url, own: true, stop: () => stop(child) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function waitUntilReady(
  child: ChildProcess,
  file: string,
  errors: () => string,
): Promise<{ url: string }> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Failure(`The local host did not start. ${errors().trim()}`);
    }
    try {
      return JSON.parse(await readFile(file, "utf8")) as { url: string };
    } catch {
      await sleep(50);
    }
  }
  child.kill("SIGKILL");
  throw new Failure(`The local host did not start within ${START_MS / 1000} s. ${errors().trim()}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  const late = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await ended;
  clearTimeout(late);
}

/** Whether a Functions host answers; anything else on the port is told apart when the backup is posted. */
async function answers(url: string): Promise<boolean> {
  try {
    await fetch(`${url}/admin/host/status`, { signal: AbortSignal.timeout(2_000) });
    return true;
  } catch {
    return false;
  }
}
