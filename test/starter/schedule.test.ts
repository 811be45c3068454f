/** The app on a host with a schedule: backups start by themselves, one at a time, and the record tells all of it. */
import { globSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunView } from "../../src/records/schema.ts";
import { startAzurite, type TestStorage } from "../harness/azurite.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { startStorageProxy, isWrite, type StorageProxy } from "../harness/storage-proxy.ts";
import { makeFolder } from "../harness/tree.ts";

let azurite: TestStorage;
let proxy: StorageProxy;
let folder: string;
let root: string;
let host: LocalHostProcess | undefined;

beforeEach(async () => {
  azurite = await startAzurite();
  proxy = await startStorageProxy(azurite.port);
  folder = await makeFolder("schedule");
  root = path.join(folder, "root");
  await mkdir(root);
  await writeFile(path.join(root, "file"), "content");
});
afterEach(async () => {
  await host?.stop();
  host = undefined;
  await proxy.stop();
  await azurite.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(env: Record<string, string>): Promise<LocalHostProcess> {
  host = await startLocalHost({
    entry: "build",
    connectionString: proxy.connectionString,
    state: path.join(folder, "state"),
    env: { BACKUP_SCHEDULE: "* * * * * *", BACKUP_SCHEDULE_INPUT: JSON.stringify({ root }), ...env },
  });
  return host;
}

/** The runs, oldest first. */
async function runs(query = ""): Promise<RunView[]> {
  const answer = await fetch(`${host?.url}/backups?limit=1000${query}`);
  return ((await answer.json()) as { runs: RunView[] }).runs.toReversed();
}

/** Waits until the runs are as wanted. */
async function until(wanted: (runs: RunView[]) => boolean, query = ""): Promise<RunView[]> {
  for (let tries = 0; tries < 300; tries++) {
    const now = await runs(query);
    if (wanted(now)) return now;
    await sleep(100);
  }
  throw new Error(`the runs never came to that: ${JSON.stringify(await runs(query))}\n${host?.logs()}`);
}

describe("a schedule", () => {
  it("starts incremental backups, and skips with a record while one goes on", async () => {
    let held: (() => void) | undefined;
    proxy.before = (request) => {
      if (!isWrite(request) || request.container !== "backups" || held) return undefined;
      return new Promise<void>((resolve) => {
        held = resolve;
      });
    };
    await start({});
    const during = await until((all) => all.filter(({ status }) => status === "skipped").length >= 2);
    expect(during[0]).toMatchObject({ status: "running", mode: "incremental", root });
    const skipped = during[1];
    expect(skipped).toMatchObject({ status: "skipped", finished: expect.any(String) });
    const one = (await (await fetch(`${host?.url}/backups/${skipped?.id}`)).json()) as RunView;
    expect(one.message).toContain(`The run ${during[0]?.id} is backing up to backups`);
    expect(host?.logs()).toMatch(/event=run\.skipped run=\w+ orchestrator=backupSiteContent due=/);
    // Only one was ever at work.
    expect(during.filter(({ status }) => status === "running")).toHaveLength(1);
    held?.();
    const after = await until((all) => all.filter(({ status }) => status === "completed").length >= 2);
    expect(after.every(({ status }) => status !== "failed")).toBe(true);
    const [first, second] = after.filter(({ status }) => status === "completed");
    expect(first?.counts).toMatchObject({ copied: 1, unchanged: 0 });
    expect(second?.counts).toMatchObject({ copied: 0, unchanged: 1 });
  });

  it("skips while a run that somebody asked for goes on, also after the host was killed", async () => {
    proxy.before = (request) =>
      isWrite(request) && request.container === "backups" ? new Promise<void>(() => undefined) : undefined;
    await start({ BACKUP_SCHEDULE: "" });
    const answer = await fetch(`${host?.url}/orchestrators/backupSiteContent`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ root }),
    });
    const { id } = (await answer.json()) as { id: string };
    await host?.kill();
    await start({});
    const [asked, skipped] = await until((all) => all.length >= 2);
    expect([asked?.id, asked?.status, skipped?.status]).toEqual([id, "running", "skipped"]);
  });

  it("that can start nothing shows as failed runs with the reason", async () => {
    await start({ BACKUP_ROOTS: path.join(folder, "other") });
    const [run] = await until((all) => all.length >= 1);
    expect(run).toMatchObject({ status: "failed", root });
    const one = (await (await fetch(`${host?.url}/backups/${run?.id}`)).json()) as RunView;
    expect(one.message).toContain("BACKUP_ROOTS");
    expect(host?.logs()).toContain("is not in one of those that may be backed up");
  });

  it("starts one run for a moment that comes round twice", async () => {
    await start({ BACKUP_SCHEDULE: "00:00:03" });
    const [first] = await until((all) => all[0]?.status === "completed");
    await host?.stop();
    // As if it had been killed when the run was started, and nobody had noted that its moment was over.
    const due = new RegExp(`event=run\\.started run=${first?.id} orchestrator=backupSiteContent due=(\\S+)`);
    const moment = new Date(due.exec(host?.logs() ?? "")?.[1] ?? "");
    const database = new DatabaseSync(stateFile());
    database
      .prepare("UPDATE schedules SET next = ?, updated = ?")
      .run(moment.toISOString(), new Date(moment.getTime() - 3000).toISOString());
    database.close();
    await start({ BACKUP_SCHEDULE: "00:00:03" });
    await until(() => host?.logs().includes(`event=run.settled run=${first?.id}`) ?? false);
    const all = await until((all) => all.length >= 3);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });
});

function stateFile(): string {
  const [name = ""] = globSync("**/*.sqlite", { cwd: path.join(folder, "state") });
  return path.join(folder, "state", name);
}
