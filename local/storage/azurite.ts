/** Azurite's blob service as a process of its own, for storage settings that name the emulator. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StartUpError } from "../start-up-error.ts";
import { isOurProcess } from "./process-identity.ts";

const READY_WITHIN = 30_000;
const END_WITHIN = 5_000;
/** Azurite makes its files as the umask says: for their owner alone. */
const OWNER_ONLY = "data:text/javascript,process.umask(0o077)";

export interface AzuriteOptions {
  /** The host's folder: Azurite's data, its log and its process id are kept there. */
  stateFolder: string;
  port: number;
  /** Told of the process before it answers, so that a host which is ended meanwhile can end it. */
  spawned?: (azurite: Azurite) => void;
}

export class Azurite {
  readonly #pid: number;
  readonly #pidFile: string;

  private constructor(pid: number, pidFile: string) {
    this.#pid = pid;
    this.#pidFile = pidFile;
  }

  /**
   * Starts Azurite unless something answers on the port already; returns it when it is this folder's to end, also when
   * an earlier host left it running. Resolves when it answers requests. Throws StartUpError when it does not.
   */
  static async start({ stateFolder, port, spawned }: AzuriteOptions): Promise<Azurite | undefined> {
    const pidFile = path.join(stateFolder, "azurite.pid");
    if (await answers(port)) {
      const left = leftProcess(pidFile, port);
      return left === undefined ? undefined : new Azurite(left, pidFile);
    }
    const folder = path.join(stateFolder, "azurite");
    const logFile = path.join(stateFolder, "azurite.log");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const log = openSync(logFile, "w", 0o600);
    const main = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");
    const options = ["--blobHost", "127.0.0.1", "--blobPort", String(port), "--location", folder];
    const flags = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"];
    // A process group of its own: the terminal's Ctrl-C must reach it after the host has finished with it.
    const child = spawn(process.execPath, ["--import", OWNER_ONLY, main, ...options, ...flags], {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: stateFolder,
    });
    closeSync(log);
    const { pid } = child;
    if (pid === undefined) throw new StartUpError("Cannot start Azurite: the process could not be created.");
    child.unref();
    writeFileSync(pidFile, JSON.stringify({ pid, port }), { mode: 0o600 });
    const azurite = new Azurite(pid, pidFile);
    spawned?.(azurite);
    const end = performance.now() + READY_WITHIN;
    while (!(await answers(port))) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > end) {
        await azurite.stop();
        const output = readFileSync(logFile, "utf8").trim().split("\n").slice(-3).join(" ");
        throw new StartUpError(
          `Azurite did not start on port ${port}; see ${logFile}.${output ? ` It said: ${output}` : ""}`,
        );
      }
      await sleep(50);
    }
    return azurite;
  }

  /** Ends it: asks first, and insists after some seconds. Resolves when it has gone. */
  async stop(): Promise<void> {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (!isAlive(this.#pid)) break;
      try {
        process.kill(this.#pid, signal);
      } catch {
        break;
      }
      const end = performance.now() + END_WITHIN;
      while (isAlive(this.#pid) && performance.now() < end) await sleep(20);
    }
    rmSync(this.#pidFile, { force: true });
  }
}

/** Whether a blob service answers on the port: any HTTP answer will do. */
async function answers(port: number): Promise<boolean> {
  try {
    await fetch(`http://127.0.0.1:${port}/devstoreaccount1?comp=list`, { signal: AbortSignal.timeout(2000) });
    return true;
  } catch {
    return false;
  }
}

/** The Azurite that a killed host left on this port, if it still is that process. */
function leftProcess(pidFile: string, port: number): number | undefined {
  if (!existsSync(pidFile)) return undefined;
  const left = JSON.parse(readFileSync(pidFile, "utf8")) as { pid: number; port: number };
  return left.port === port && isOurProcess(left.pid, "azurite") ? left.pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
