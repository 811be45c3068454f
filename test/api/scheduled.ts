/** For the tests of schedules: a host with one, and what is asked of it. */
import { globSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import type { RunView } from "../../src/api/schema.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postRun } from "../harness/run.ts";
import { startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";

/** A host with a schedule, on a storage account and a tree of its own. */
export class Scheduled {
  readonly folder: string;
  readonly root: string;
  readonly container = "scheduled";
  readonly proxy: StorageProxy;
  host: LocalHostProcess | undefined;
  readonly #azurite: TestStorage;

  private constructor(folder: string, azurite: TestStorage, proxy: StorageProxy) {
    this.folder = folder;
    this.root = path.join(folder, "root");
    this.proxy = proxy;
    this.#azurite = azurite;
  }

  static async open(): Promise<Scheduled> {
    const azurite = takeAccount();
    const at = new Scheduled(await makeFolder("schedule"), azurite, await startStorageProxy(azurite));
    await makeTree(at.root, { file: "content" });
    return at;
  }

  async close(): Promise<void> {
    this.proxy.before = this.proxy.after = () => undefined;
    await this.host?.stop();
    await this.proxy.stop();
    await this.#azurite.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async start(env: Record<string, string>): Promise<void> {
    const { root, container, folder, proxy } = this;
    this.host = await startLocalHost({
      entry: "build",
      connectionString: proxy.connectionString,
      state: path.join(folder, "state"),
      env: {
        BACKUP_SCHEDULE: "* * * * * *",
        BACKUP_SCHEDULE_INPUT: JSON.stringify({ root, container }),
        ...env,
      },
    });
  }

  /** The runs, oldest first. */
  async runs(query = ""): Promise<RunView[]> {
    const answer = await fetch(`${this.host?.url}/backups?limit=1000&container=${this.container}${query}`);
    return ((await answer.json()) as { runs: RunView[] }).runs.toReversed();
  }

  async run(id: string | undefined): Promise<RunView> {
    return (await (await fetch(`${this.host?.url}/backups/${id}`)).json()) as RunView;
  }

  /** Starts a run because somebody asks for it. */
  async ask(orchestrator: string, request: object): Promise<{ id: string; location: string }> {
    return await postRun(this.host?.url ?? "", orchestrator, request);
  }

  /** Backs up because somebody asks for it, to the end. */
  async backUp(): Promise<string> {
    const { id, location } = await this.ask("backupSiteContent", {
      root: this.root,
      container: this.container,
    });
    const { runtimeStatus } = await followRun(location);
    if (runtimeStatus !== "Completed") throw new Error(`the backup ${id}: ${runtimeStatus}`);
    return id;
  }

  /** Waits until the runs are as wanted. It asks when the host has said something, else each second: an answer costs. */
  async until(wanted: (runs: RunView[]) => boolean, query = ""): Promise<RunView[]> {
    let heard = -1;
    for (let tries = 0; tries < 1200; tries++) {
      const said = this.logs().length;
      if (said !== heard || tries % 20 === 0) {
        heard = said;
        const now = await this.runs(query);
        if (wanted(now)) return now;
      }
      await sleep(50);
    }
    throw new Error(`the runs never came to that: ${JSON.stringify(await this.runs(query))}\n${this.logs()}`);
  }

  logs(): string {
    return this.host?.logs() ?? "";
  }

  /** Ends the host, and lets every schedule be due at a moment, as if that had come when no host was up. */
  async comeDue(next: string, updated: string): Promise<void> {
    await this.host?.stop();
    const state = path.join(this.folder, "state");
    const [name = ""] = globSync("**/*.sqlite", { cwd: state });
    const database = new DatabaseSync(path.join(state, name));
    database.prepare("UPDATE schedules SET next = ?, updated = ?").run(next, updated);
    database.close();
  }
}

// They wait for seconds to pass, and for hosts to start.
const twoAtATime = pLimit(2);

/** Wraps a test that needs one. Two run at a time. */
export function scheduled(test: (at: Scheduled) => Promise<void>): () => Promise<void> {
  return async () =>
    await twoAtATime(async () => {
      const at = await Scheduled.open();
      try {
        await test(at);
      } finally {
        await at.close();
      }
    });
}
