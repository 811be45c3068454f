/** A local host for the tests of the records, and what a client of it does. */
import { setTimeout as sleep } from "node:timers/promises";
import type { FilePage, RunPage, RunView } from "../../src/api/schema.ts";
import { startLocalHost, type LocalHostOptions, type LocalHostProcess } from "../harness/local-host.ts";

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: () => unknown;
}

/** Where the durable engine answers of orchestrations. */
export const ENGINE = "/runtime/webhooks/durabletask/instances";

interface EngineStatus {
  runtimeStatus: string;
  output: unknown;
  customStatus: Record<string, unknown>;
}

export class RecordsHost {
  readonly process: LocalHostProcess;
  /** Where the durable engine says how the runs are that were started. */
  readonly #statuses = new Map<string, string>();

  private constructor(process: LocalHostProcess) {
    this.process = process;
  }

  /** @param connectionString default an account of its own */
  static async start(env: LocalHostOptions["env"] = {}, connectionString?: string): Promise<RecordsHost> {
    const storage = connectionString === undefined ? {} : { connectionString };
    return new RecordsHost(await startLocalHost({ entry: "build", env, ...storage }));
  }

  /** Kills it, and starts another one on its state and storage. */
  async restart(): Promise<RecordsHost> {
    await this.process.kill();
    return new RecordsHost(await this.process.restart());
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${this.process.url}${path}`, init);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: () => JSON.parse(text) as unknown,
    };
  }

  async get<T>(path: string): Promise<T> {
    const answer = await this.fetch(path);
    if (answer.status !== 200)
      throw new Error(`${path}: ${answer.status} ${answer.text}\n${this.process.logs().slice(-2000)}`);
    return answer.json() as T;
  }

  async start(body: unknown, orchestrator = "backupSiteContent"): Promise<string> {
    const answer = await this.fetch(`/orchestrators/${orchestrator}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.status !== 202) throw new Error(answer.text);
    const { id, statusQueryGetUri } = answer.json() as { id: string; statusQueryGetUri: string };
    this.#statuses.set(id, statusQueryGetUri);
    return id;
  }

  /** Backs up, and gives the run once its orchestration has ended. */
  async backUp(body: unknown): Promise<RunView> {
    return await this.ended(await this.start(body));
  }

  async ended(id: string): Promise<RunView> {
    for (;;) {
      const run = await this.run(id);
      // The record is closed a moment before the orchestration is: until then its destination is not free.
      if (run.status !== "running" && (await this.#hasEnded(id))) return run;
      await sleep(50);
    }
  }

  async #hasEnded(id: string): Promise<boolean> {
    const address = this.#statuses.get(id);
    return address === undefined || (await fetch(address)).status !== 202;
  }

  /** What the engine's documented client sees of an orchestration that has ended. */
  async status(id: string): Promise<EngineStatus> {
    for (;;) {
      const answer = await this.fetch(`${ENGINE}/${id}`);
      if (answer.status === 200) return answer.json() as EngineStatus;
      await sleep(50);
    }
  }

  run(id: string): Promise<RunView> {
    return this.get<RunView>(`/backups/${id}`);
  }

  runs(query = ""): Promise<RunPage> {
    return this.get<RunPage>(`/backups${query}`);
  }

  files(id: string, query = ""): Promise<FilePage> {
    return this.get<FilePage>(`/backups/${id}/files${query}`);
  }
}
