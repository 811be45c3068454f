/**
 * Starts the local host as a real process for a test: on a free port, with a state folder and a storage account of its own.
 *
 *   const host = await startLocalHost();
 *   await fetch(`${host.url}/orchestrators/backupSiteContent`, { method: "POST", … });
 *   await host.stop();
 *
 * After `host.kill()` (SIGKILL) `await host.restart()` starts a new one on the same state and storage.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { nodeOptions } from "../../scripts/node-options.mjs";
import { takeAccount } from "./azurite.ts";
import { expectNoSecrets, expectNoSecretsIn, secretsOf, systemKeysOf } from "./secrets.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NO_STORAGE = "DefaultEndpointsProtocol=https;AccountName=none;AccountKey=bm9uZQ==";
const READY_WITHIN = 40_000;
const END_WITHIN = 15_000;
/** An activity that failed is tried again at once, but for the rows of faults in full. */
const QUICK_RETRIES = process.env["FAULTS"] === "full" ? {} : { BACKUP_ACTIVITY_RETRY_MS: "50" };

export interface LocalHostOptions {
  /** The function app's folder; default this repository. */
  app?: string;
  /** Kept after `stop` when given; otherwise a temporary folder, removed by `stop`. */
  state?: string;
  /** Default a free one. */
  port?: number;
  /** Default a new account of the run's Azurite. `"own"`: the host starts its own. `"none"`: the app needs none. */
  connectionString?: string;
  /** Added to the environment; undefined removes a variable. */
  env?: Record<string, string | undefined>;
  /** More arguments for the host. */
  args?: string[];
  /** The sources (default), or the build in dist/. */
  entry?: "source" | "build";
}

export interface LocalHostProcess {
  readonly url: string;
  /** Of the storage that the app uses. */
  readonly connectionString: string;
  readonly pid: number;
  readonly state: string;
  /** Resolves with the exit code when it has ended by itself. */
  readonly ended: Promise<number | null>;
  /** Everything the host has printed so far. */
  logs(): string;
  /**
   * SIGTERM, and waits for the end (SIGKILL after 15 s: the exit code is null then). Ends an Azurite that a killed
   * host left, too. Returns the exit code.
   */
  stop(): Promise<number | null>;
  /** SIGKILL, and waits for the end. Azurite continues, as after a crash. */
  kill(): Promise<void>;
  /** Starts again on the same state, storage and options; stop the new one, not this one. */
  restart(changes?: LocalHostOptions): Promise<LocalHostProcess>;
}

/** Resolves when functions can be called. Rejects, with what the host printed, when it does not start. */
export async function startLocalHost(options: LocalHostOptions = {}): Promise<LocalHostProcess> {
  const state = options.state ?? mkdtempSync(path.join(tmpdir(), "local-host-"));
  return start({ ...options, state }, await storageOf(options), options.state === undefined);
}

interface Storage {
  /** Undefined: the host's own Azurite. */
  connectionString: string | undefined;
  environment: Record<string, string | undefined>;
  args: string[];
}

async function storageOf({ connectionString }: LocalHostOptions): Promise<Storage> {
  if (connectionString === "own") {
    const port = await freePort();
    return {
      connectionString: undefined,
      environment: { AzureWebJobsStorage: "UseDevelopmentStorage=true", BackupStorage: undefined },
      args: ["--azurite-port", String(port)],
    };
  }
  const value =
    connectionString === "none" ? NO_STORAGE : (connectionString ?? takeAccount().connectionString);
  return {
    connectionString: value,
    environment: { AzureWebJobsStorage: value, BackupStorage: undefined },
    args: [],
  };
}

async function start(
  options: LocalHostOptions & { state: string },
  storage: Storage,
  temporary: boolean,
): Promise<LocalHostProcess> {
  const { state } = options;
  let output = "";
  const child = spawnHost(options, storage.args, storage.environment, (text) => {
    output += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const secrets = [storage.connectionString ?? "", ...secretSettings(options.env)].flatMap(secretsOf);
  /** Whatever a host is started for: no key of it is to be found anywhere afterwards. */
  const checkSecrets = () => {
    const systemKeys = systemKeysOf(state);
    expectNoSecrets("what the local host printed", output, [...secrets, ...systemKeys]);
    expectNoSecretsIn(state, secrets, systemKeys);
  };
  const cleanUp = () => {
    endLeftAzurite(state);
    if (temporary) rmSync(state, { recursive: true, force: true });
  };
  let ready: Ready;
  try {
    ready = await whenReady(child);
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    cleanUp();
    throw new Error(`${(error as Error).message}\n${output}`, { cause: error });
  }
  if (ready.storage !== undefined) secrets.push(...secretsOf(ready.storage));
  return {
    // By address, so that no name resolution comes between.
    url: ready.url.replace("localhost", "127.0.0.1"),
    connectionString: storage.connectionString ?? ready.storage ?? "",
    pid: child.pid ?? -1,
    state,
    ended,
    logs: () => output,
    async stop() {
      child.kill("SIGTERM");
      const insist = setTimeout(() => child.kill("SIGKILL"), END_WITHIN);
      const code = await ended;
      clearTimeout(insist);
      try {
        checkSecrets();
      } finally {
        cleanUp();
      }
      return code;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
      checkSecrets();
    },
    restart: (changes = {}) => start({ ...options, ...changes, state }, storage, temporary),
  };
}

/** Runs the host until it ends by itself, for tests of what stops it from starting. */
export async function runLocalHost(
  options: LocalHostOptions,
): Promise<{ code: number | null; output: string; stderr: string }> {
  let output = "";
  let stderr = "";
  const storage = await storageOf({ connectionString: "none", ...options });
  const child = spawnHost(options, storage.args, storage.environment, (text, stream) => {
    output += text;
    if (stream === "stderr") stderr += text;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), READY_WITHIN);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  expectNoSecrets("what the local host printed", output, secretsOf(storage.connectionString ?? ""));
  return { code, output, stderr };
}

/** Storage that a test gives the app by its environment. */
function secretSettings(env: LocalHostOptions["env"] = {}): string[] {
  return Object.entries(env).flatMap(([name, value]) => (/storage/i.test(name) && value ? [value] : []));
}

function spawnHost(
  options: LocalHostOptions,
  args: string[],
  environment: Record<string, string | undefined>,
  take: (text: string, stream: "stdout" | "stderr") => void,
): ChildProcess {
  const main = path.join(ROOT, options.entry === "build" ? "dist/local/main.js" : "local/main.ts");
  const state = options.state === undefined ? [] : ["--state", options.state];
  const child = spawn(
    process.execPath,
    [
      ...nodeOptions({ ...process.env, ...options.env }),
      main,
      "--app",
      options.app ?? ROOT,
      "--port",
      String(options.port ?? 0),
      ...state,
      ...args,
      ...(options.args ?? []),
    ],
    {
      cwd: ROOT,
      env: { ...process.env, ...QUICK_RETRIES, ...environment, ...options.env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    },
  );
  // A test run that is cut short must not leave a host behind, whatever state that is in.
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => take(text, name));
  }
  return child;
}

/** What the host tells whoever has started it. */
interface Ready {
  url: string;
  storage?: string;
}

function whenReady(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("The local host was not ready in time.")), READY_WITHIN);
    child.once("message", (message: Ready) => {
      clearTimeout(timer);
      resolve(message);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`The local host ended with exit code ${code}.`));
    });
  });
}

/** A host that ended cleanly leaves no file; one that was killed leaves Azurite, and its process id in it. */
function endLeftAzurite(state: string): void {
  const file = path.join(state, "azurite.pid");
  if (!existsSync(file)) return;
  const { pid } = JSON.parse(readFileSync(file, "utf8")) as { pid: number };
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has gone already.
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
