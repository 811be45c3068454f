/** Azurite's blob service as a process of its own, with its data in a state folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StartUpError } from "../start-up-error.ts";
import { connectionString, type StorageAccount } from "./own-account.ts";
import { isOurProcess } from "./process-identity.ts";

const READY_WITHIN = 30_000;
const END_WITHIN = 5_000;
/** Azurite creates its files by the umask: for their owner only. */
const OWNER_ONLY = "data:text/javascript,process.umask(0o077)";

/**
 * Azurite loads the client of its telemetry, which is off, all the same: two thousand modules, half of its start-up time. An empty
 * module stands in for it.
 */
export const WITHOUT_TELEMETRY = `data:text/javascript,${encodeURIComponent(`
  import { createRequire } from "node:module";
  const require = createRequire(process.argv[1]);
  const filename = require.resolve("applicationinsights");
  require.cache[filename] = { id: filename, filename, loaded: true, exports: {} };`)}`;

interface AzuriteOptions {
  /** The host's folder, which has Azurite's data, log and process id. */
  stateFolder: string;
  port: number;
  account: StorageAccount;
  /** Called with the process before it answers, so that a host that is stopped meanwhile can end it. */
  spawned?: (azurite: Azurite) => void;
  /** Called if it ends unasked after it has answered. */
  lost?: (why: StartUpError) => void;
}

export class Azurite {
  readonly connectionString: string;
  readonly #child: ChildProcess;
  readonly #pidFile: string;
  #stopping = false;

  private constructor({ account, port }: AzuriteOptions, child: ChildProcess, pidFile: string) {
    this.connectionString = connectionString(account, port);
    this.#child = child;
    this.#pidFile = pidFile;
  }

  /**
   * Starts it, after ending the one that a killed host left in this folder. Resolves when it answers requests. Throws
   * StartUpError when it does not: whatever else listens on the port is never used, for nothing tells who that is.
   */
  static async start(options: AzuriteOptions): Promise<Azurite> {
    const { stateFolder, port, account, spawned, lost } = options;
    const folder = path.join(stateFolder, "azurite");
    const logFile = path.join(stateFolder, "azurite.log");
    const pidFile = path.join(stateFolder, "azurite.pid");
    await endLeft(pidFile, folder);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const log = openSync(logFile, "w", 0o600);
    const main = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");
    const address = ["--blobHost", "127.0.0.1", "--blobPort", String(port), "--location", folder];
    const flags = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"];
    // In its own process group: the terminal's Ctrl-C must reach it only after the host has finished with it.
    const before = ["--import", OWNER_ONLY, "--import", WITHOUT_TELEMETRY];
    const child = spawn(process.execPath, [...before, main, ...address, ...flags], {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: stateFolder,
      env: { ...process.env, AZURITE_ACCOUNTS: `${account.name}:${account.key}` },
    });
    closeSync(log);
    const { pid } = child;
    if (pid === undefined) throw new StartUpError("Cannot start Azurite: the process could not be created.");
    child.unref();
    writeFileSync(pidFile, JSON.stringify({ pid, host: process.pid }), { mode: 0o600 });
    const azurite = new Azurite(options, child, pidFile);
    spawned?.(azurite);
    const said = () => readFileSync(logFile, "utf8");
    const end = performance.now() + READY_WITHIN;
    // By its own output: an answer on the port may be someone else's.
    while (!said().includes("successfully listens")) {
      if (hasEnded(child) || performance.now() > end) {
        await azurite.stop();
        throw new StartUpError(whyNot(port, said(), logFile));
      }
      await sleep(50);
    }
    child.once("exit", (code, signal) => {
      if (azurite.#stopping) return;
      const how = signal ?? `exit code ${code}`;
      lost?.(
        new StartUpError(
          `Azurite, which holds the backups, has ended (${how}). Start again; see ${logFile}.`,
        ),
      );
    });
    return azurite;
  }

  /** Ends it: asks first, and kills it after some seconds. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await end(this.#child.pid ?? 0, () => !hasEnded(this.#child));
    rmSync(this.#pidFile, { force: true });
  }
}

/** Ends the Azurite of a host that was killed: it may hold the port, and two on the same data would damage that. */
async function endLeft(pidFile: string, folder: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const { pid, host } = JSON.parse(readFileSync(pidFile, "utf8")) as { pid: number; host?: number };
  const isAlive = () => isOurProcess(pid, folder);
  if (!isAlive()) return;
  if (host !== undefined && host !== process.pid && isOurProcess(host, "local"))
    throw new StartUpError(
      `The host with process id ${host} uses the storage in ${path.dirname(folder)}. End it, or choose another folder with --state.`,
    );
  await end(pid, isAlive);
}

async function end(pid: number, isAlive: () => boolean): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (!isAlive()) return;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    const late = performance.now() + END_WITHIN;
    while (isAlive() && performance.now() < late) await sleep(20);
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function whyNot(port: number, output: string, logFile: string): string {
  if (output.includes("EADDRINUSE"))
    return (
      `Port ${port} is in use, and the local host stores nothing in what it has not started itself. End what has the ` +
      "port, or choose another one with --azurite-port. To use an Azurite of your own, set AzureWebJobsStorage to its " +
      "full connection string."
    );
  const last = output.trim().split("\n").slice(-3).join(" ");
  return `Azurite did not start on port ${port}; see ${logFile}.${last ? ` It said: ${last}` : ""}`;
}
