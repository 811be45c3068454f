/** The app on a host with a schedule: backups start by themselves, one at a time, and the record tells all of it. */
import { randomUUID } from "node:crypto";
import { globSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunView } from "../../src/api/schema.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun, postRun } from "../harness/run.ts";
import { startStorageProxy, isWrite, type StorageProxy } from "../harness/storage-proxy.ts";
import { makeFolder } from "../harness/tree.ts";

let azurite: TestStorage;
let proxy: StorageProxy;
let folder: string;
let root: string;
/** Each test has its own: they share the storage. */
let container: string;
let host: LocalHostProcess | undefined;

beforeAll(async () => {
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
});
beforeEach(async () => {
  folder = await makeFolder("schedule");
  root = path.join(folder, "root");
  container = `schedule-${randomUUID()}`;
  await mkdir(root);
  await writeFile(path.join(root, "file"), "content");
});
afterEach(async () => {
  proxy.before = proxy.after = () => undefined;
  await host?.stop();
  host = undefined;
  rmSync(folder, { recursive: true, force: true });
});
afterAll(async () => {
  await proxy.stop();
  await azurite.stop();
});

async function start(env: Record<string, string>): Promise<LocalHostProcess> {
  host = await startLocalHost({
    entry: "build",
    connectionString: proxy.connectionString,
    state: path.join(folder, "state"),
    env: {
      BACKUP_SCHEDULE: "* * * * * *",
      BACKUP_SCHEDULE_INPUT: JSON.stringify({ root, container }),
      ...env,
    },
  });
  return host;
}

/** The runs, oldest first. */
async function runs(query = ""): Promise<RunView[]> {
  const answer = await fetch(`${host?.url}/backups?limit=1000&container=${container}${query}`);
  return ((await answer.json()) as { runs: RunView[] }).runs.toReversed();
}

/** Backs up because somebody asks for it, to the end. */
async function backUp(): Promise<string> {
  for (;;) {
    const { id, location } = await postRun(host?.url ?? "", "backupSiteContent", { root, container }).catch(
      () => ({ id: "", location: "" }),
    );
    // A prune that is due may be at work just then.
    if (id !== "" && (await followRun(location)).runtimeStatus === "Completed") return id;
    await sleep(100);
  }
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
  it("starts incremental backups, and skips with a record while one is in progress", async () => {
    let held: (() => void) | undefined;
    proxy.before = (request) => {
      if (!isWrite(request) || request.container !== container || held) return undefined;
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
    expect(one.message).toContain(`The run ${during[0]?.id} is backing up to ${container}`);
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

  it("skips while a run that somebody asked for is in progress, also after the host was killed", async () => {
    proxy.before = (request) =>
      isWrite(request) && request.container === container ? new Promise<void>(() => undefined) : undefined;
    await start({ BACKUP_SCHEDULE: "" });
    const { id } = await postRun(host?.url ?? "", "backupSiteContent", { root, container });
    await host?.kill();
    await start({});
    const [asked, skipped] = await until((all) => all.length >= 2);
    expect([asked?.id, asked?.status, skipped?.status]).toEqual([id, "running", "skipped"]);
  });

  it("that finds an emptied root makes suspect runs, which push out no good one", async () => {
    for (let file = 0; file < 12; file++) await writeFile(path.join(root, `file${file}`), "content");
    await start({ BACKUP_SCHEDULE: "" });
    const good = await backUp();
    await host?.stop();
    // As when its file system is not mounted.
    rmSync(root, { recursive: true });
    await mkdir(root);
    await start({});
    await until((all) => all.filter(({ suspect }) => suspect).length >= 2);
    await host?.stop();
    await start({ BACKUP_SCHEDULE: "" });
    const { location } = await postRun(host?.url ?? "", "pruneBackups", { container, keepLast: 1 });
    expect((await followRun(location)).runtimeStatus).toBe("Completed");
    const left = await runs();
    expect(left.find(({ id }) => id === good)).toMatchObject({ status: "completed" });
    for (const run of left.filter(({ id, status }) => id !== good && status !== "skipped"))
      expect(run).toMatchObject({ status: "failed", suspect: true });
  });

  it("that can start nothing shows as failed runs with the reason", async () => {
    await start({ BACKUP_ROOTS: path.join(folder, "other") });
    const [run] = await until((all) => all.length >= 1);
    expect(run).toMatchObject({ status: "failed", root });
    const one = (await (await fetch(`${host?.url}/backups/${run?.id}`)).json()) as RunView;
    expect(one.message).toContain("BACKUP_ROOTS");
    expect(host?.logs()).toContain("BACKUP_ROOTS");
  });

  it("prunes: deletes what its policy lets go, and skips with a record while one is in progress", async () => {
    let release = () => {};
    const held = new Promise<void>((go) => (release = go));
    proxy.before = (request) =>
      request.method === "DELETE" && request.container === container ? held : undefined;
    await start({ BACKUP_SCHEDULE: "" });
    const first = await backUp();
    await writeFile(path.join(root, "file"), "other content");
    const second = await backUp();
    await host?.stop();
    await start({
      BACKUP_SCHEDULE: "",
      PRUNE_SCHEDULE: "*/2 * * * * *",
      PRUNE_SCHEDULE_INPUT: JSON.stringify({ container, keepLast: 1 }),
    });
    const during = await until((all) => all.some(({ status }) => status === "skipped"), "&kind=prune");
    const [working] = during.filter(({ status }) => status === "running");
    const skipped = during.find(({ status }) => status === "skipped");
    const one = (await (await fetch(`${host?.url}/backups/${skipped?.id}`)).json()) as RunView;
    expect(one.message).toContain(`The prune ${working?.id} is running in ${container}`);
    release();
    const [pruned] = await until(
      (all) => all.some(({ id, status }) => id === working?.id && status === "completed"),
      "&kind=prune",
    ).then((all) => all.filter(({ id }) => id === working?.id));
    // The snapshot of what was overwritten, and the ledger.
    expect(pruned?.counts).toMatchObject({ deleted: 2, unchanged: 1, failed: 0 });
    expect((await runs()).map(({ id }) => id)).toEqual([second]);
    expect((await fetch(`${host?.url}/backups/${first}`)).status).toBe(404);
    expect(host?.logs()).toMatch(/event=run\.started run=\w+ orchestrator=pruneBackups due=/);
  });

  it("makes up once for all that came due while the host was down, also when it is killed with only the run's record", async () => {
    // By its own next moment, which is years away, nothing would start.
    const schedule = { BACKUP_SCHEDULE: "0 0 0 29 2 *" };
    await comeDue(schedule);
    const opened = new Promise<string>((resolve) => {
      proxy.after = ({ method, blob }) => {
        if (method !== "PUT" || !blob.startsWith("index/")) return undefined;
        resolve(blob.replace(/^index\/\d+-/, ""));
        return new Promise<void>(() => undefined);
      };
    });
    await start(schedule);
    const run = await opened;
    await host?.kill();
    proxy.after = () => undefined;
    await start(schedule);
    await until(([first]) => first?.status === "completed");
    // With its id.
    const due = `event=run\\.started run=${run} .*due=2020-02-29T00:00:00\\S* late=yes`;
    expect(host?.logs()).toMatch(new RegExp(due));
    await host?.stop();
    await start(schedule);
    expect(await runs()).toMatchObject([{ id: run, status: "completed" }]);
  });

  it("starts one run for a moment that comes round twice", async () => {
    await start({ BACKUP_SCHEDULE: "00:00:01" });
    const [first] = await until((all) => all[0]?.status === "completed");
    await host?.stop();
    // As if it had been killed when the run was started, and nobody had noted that its moment was over.
    const due = new RegExp(`event=run\\.started run=${first?.id} orchestrator=backupSiteContent due=(\\S+)`);
    const moment = new Date(due.exec(host?.logs() ?? "")?.[1] ?? "");
    const database = new DatabaseSync(stateFile());
    database
      .prepare("UPDATE schedules SET next = ?, updated = ?")
      .run(moment.toISOString(), new Date(moment.getTime() - 1000).toISOString());
    database.close();
    await start({ BACKUP_SCHEDULE: "00:00:01" });
    await until(() => host?.logs().includes(`event=run.settled run=${first?.id}`) ?? false);
    const all = await until((all) => all.length >= 2);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });
});

/** As if a moment of the schedule had come while the host was down. */
async function comeDue(schedule: Record<string, string>): Promise<void> {
  await start(schedule);
  await host?.stop();
  const database = new DatabaseSync(stateFile());
  database
    .prepare("UPDATE schedules SET next = ?, updated = ?")
    .run("2020-02-29T00:00:00.000Z", "2019-01-01T00:00:00.000Z");
  database.close();
}

function stateFile(): string {
  const [name = ""] = globSync("**/*.sqlite", { cwd: path.join(folder, "state") });
  return path.join(folder, "state", name);
}
