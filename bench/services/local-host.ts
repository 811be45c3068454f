/** The local host as a process of its own, running a function app, and its Durable HTTP API. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { nodeOptions } from "../../scripts/node-options.mjs";
import { Child, until } from "./child.ts";
import { anyPort } from "./ports.ts";
import { discard, scratch } from "./scratch.ts";
import { connectionString } from "./storage.ts";

const POLL_MS = 50;

/** The project's folder: where the app and the host are built. */
export const PROJECT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

export interface HostOptions {
  /** The folder that the host was built in. */
  build: string;
  /** The function app's folder. */
  app: string;
  /** The port of the storage that backups go to; without it none is named. */
  storagePort?: number;
  workers?: number;
  /** What each activity costs besides its work, in milliseconds, one after another; see the host's --activity-ms. */
  activityMs?: number;
  environment?: NodeJS.ProcessEnv;
}

interface Status {
  runtimeStatus: string;
  output: unknown;
}

export class LocalHost {
  readonly child: Child;
  /** Durable state; it can be read once the host has stopped. */
  readonly stateFolder: string;
  readonly #url: string;

  private constructor(child: Child, url: string, stateFolder: string) {
    this.child = child;
    this.#url = url;
    this.stateFolder = stateFolder;
  }

  /** Starts it on a free port with fresh state; resolves when functions can be called. */
  static async start(options: HostOptions): Promise<LocalHost> {
    const { build, app, storagePort, workers = 1, activityMs = 0 } = options;
    const stateFolder = scratch("host");
    const ready = path.join(stateFolder, "ready.json");
    const storage = storagePort === undefined ? {} : storageSettings(connectionString(storagePort));
    const main = path.join(build, "dist", "local", "main.js");
    const place = ["--app", app, "--state", stateFolder, "--ready-file", ready];
    // The bench provides storage: the port on which the host would start an emulator is one that no setting names.
    const ports = ["--port", "0", "--azurite-port", String(await anyPort())];
    const delay = activityMs > 0 ? ["--activity-ms", String(activityMs)] : [];
    const child = new Child(
      "the local host",
      process.execPath,
      [...nodeOptions(process.env), main, ...place, ...ports, ...delay],
      {
        cwd: app,
        env: {
          ...process.env,
          ...storage,
          FUNCTIONS_WORKER_PROCESS_COUNT: String(workers),
          ...options.environment,
        },
      },
    );
    try {
      await until(child, () => Promise.resolve(existsSync(ready)));
    } catch (error) {
      discard(stateFolder);
      throw error;
    }
    const { url } = JSON.parse(readFileSync(ready, "utf8")) as { url: string };
    return new LocalHost(child, url, stateFolder);
  }

  /** Starts an orchestration like any client, follows it to its end, and returns its output. */
  async run(orchestrator: string, body: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}/orchestrators/${orchestrator}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const location = response.headers.get("location");
    if (response.status !== 202 || location === null) {
      throw new Error(`${orchestrator} was not started: ${response.status} ${await response.text()}`);
    }
    await response.arrayBuffer();
    for (;;) {
      await sleep(POLL_MS);
      if (!this.child.isRunning) throw new Error(`the local host ended: ${this.child.lastLines()}`);
      const answer = await fetch(location);
      const status = (await answer.json()) as Status;
      if (answer.status === 202) continue;
      if (status.runtimeStatus === "Completed") return status.output;
      throw new Error(`${orchestrator} ended as ${status.runtimeStatus}: ${JSON.stringify(status.output)}`);
    }
  }

  /** Ends the process; its durable state stays until `discard`. */
  async stop(): Promise<void> {
    await this.child.stop();
  }

  discard(): void {
    discard(this.stateFolder);
  }
}

function storageSettings(connection: string): NodeJS.ProcessEnv {
  return { AzureWebJobsStorage: connection, BackupStorage: connection };
}
