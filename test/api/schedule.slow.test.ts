/** The app on a host with a schedule: backups start by themselves, one at a time, and the record tells all of it. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { followRun } from "../harness/run.ts";
import { isWrite } from "../harness/storage-proxy.ts";
import { scheduled } from "./scheduled.ts";

describe.concurrent("a schedule", () => {
  it(
    "starts incremental backups, and skips with a record while one is in progress",
    scheduled(async (at) => {
      const { root, container } = at;
      let held: (() => void) | undefined;
      at.proxy.before = (request) => {
        if (!isWrite(request) || request.container !== container || held) return undefined;
        return new Promise<void>((resolve) => {
          held = resolve;
        });
      };
      await at.start({});
      const during = await at.until((all) => all.filter(({ status }) => status === "skipped").length >= 2);
      expect(during[0]).toMatchObject({ status: "running", mode: "incremental", root });
      const skipped = during[1];
      expect(skipped).toMatchObject({ status: "skipped", finished: expect.any(String) });
      const one = await at.run(skipped?.id);
      expect(one.message).toMatch(new RegExp(` ${during[0]?.id} .* ${container}\\b`));
      expect(at.logs()).toMatch(/event=run\.skipped run=\w+ orchestrator=backupSiteContent due=/);
      // Only one was ever at work.
      expect(during.filter(({ status }) => status === "running")).toHaveLength(1);
      held?.();
      const after = await at.until((all) => all.filter(({ status }) => status === "completed").length >= 2);
      expect(after.every(({ status }) => status !== "failed")).toBe(true);
      const [first, second] = after.filter(({ status }) => status === "completed");
      expect(first?.counts).toMatchObject({ copied: 1, unchanged: 0 });
      expect(second?.counts).toMatchObject({ copied: 0, unchanged: 1 });
    }),
  );

  it(
    "skips while a run that somebody asked for is in progress, also after the host was killed",
    scheduled(async (at) => {
      const { root, container } = at;
      at.proxy.before = (request) =>
        isWrite(request) && request.container === container ? new Promise<void>(() => undefined) : undefined;
      await at.start({ BACKUP_SCHEDULE: "" });
      const { id } = await at.ask("backupSiteContent", { root, container });
      await at.host?.kill();
      await at.start({});
      const [asked, skipped] = await at.until((all) => all.length >= 2);
      expect([asked?.id, asked?.status, skipped?.status]).toEqual([id, "running", "skipped"]);
    }),
  );

  it(
    "that finds an emptied root makes suspect runs, which push out no good one",
    scheduled(async (at) => {
      const { root, container, folder } = at;
      for (let file = 0; file < 12; file++) await writeFile(path.join(root, `file${file}`), "content");
      await at.start({});
      await at.until(([first]) => first?.status === "completed");
      // As when its file system is not mounted. Between two runs: what opens waits for it, and nothing is at work.
      await new Promise<void>((emptied) => {
        at.proxy.before = async function wait({ method, blob }) {
          if (method !== "PUT" || !blob.startsWith("index/")) return;
          at.proxy.before = () => undefined;
          if ((await at.runs()).some(({ status }) => status === "running")) {
            at.proxy.before = wait;
            return;
          }
          await rename(root, path.join(folder, "away"));
          await mkdir(root);
          emptied();
        };
      });
      const good = (await at.runs()).findLast(({ status }) => status === "completed")?.id;
      await at.until((all) => all.filter(({ suspect }) => suspect).length >= 2);
      await at.host?.stop();
      await at.start({ BACKUP_SCHEDULE: "" });
      const { location } = await at.ask("pruneBackups", { container, keepLast: 1 });
      expect((await followRun(location)).runtimeStatus).toBe("Completed");
      const left = await at.runs();
      expect(left.find(({ id }) => id === good)).toMatchObject({ status: "completed" });
      for (const run of left.filter(({ id, status }) => id !== good && status !== "skipped"))
        expect(run).toMatchObject({ status: "failed", suspect: true });
    }),
  );

  it(
    "that can start nothing shows as failed runs with the reason",
    scheduled(async (at) => {
      const { root, folder } = at;
      await at.start({ BACKUP_ROOTS: path.join(folder, "other") });
      const [run] = await at.until((all) => all.length >= 1);
      expect(run).toMatchObject({ status: "failed", root });
      const one = await at.run(run?.id);
      expect(one.message).toContain("BACKUP_ROOTS");
      expect(at.logs()).toContain("BACKUP_ROOTS");
    }),
  );

  it(
    "prunes: deletes what its policy lets go, and skips with a record while one is in progress",
    scheduled(async (at) => {
      const { root, container } = at;
      let release = () => {};
      const held = new Promise<void>((go) => (release = go));
      at.proxy.before = (request) =>
        request.method === "DELETE" && request.container === container ? held : undefined;
      await at.start({ BACKUP_SCHEDULE: "" });
      const first = await at.backUp();
      await writeFile(path.join(root, "file"), "other content");
      const second = await at.backUp();
      await at.host?.stop();
      await at.start({
        BACKUP_SCHEDULE: "",
        PRUNE_SCHEDULE: "*/2 * * * * *",
        PRUNE_SCHEDULE_INPUT: JSON.stringify({ container, keepLast: 1 }),
      });
      const during = await at.until((all) => all.some(({ status }) => status === "skipped"), "&kind=prune");
      const [working] = during.filter(({ status }) => status === "running");
      const skipped = during.find(({ status }) => status === "skipped");
      const one = await at.run(skipped?.id);
      expect(one.message).toContain(`The prune ${working?.id} is running in ${container}`);
      release();
      const [pruned] = await at
        .until(
          (all) => all.some(({ id, status }) => id === working?.id && status === "completed"),
          "&kind=prune",
        )
        .then((all) => all.filter(({ id }) => id === working?.id));
      // The snapshot of what was overwritten, and the ledger.
      expect(pruned?.counts).toMatchObject({ deleted: 2, unchanged: 1, failed: 0 });
      expect((await at.runs()).map(({ id }) => id)).toEqual([second]);
      expect((await fetch(`${at.host?.url}/backups/${first}`)).status).toBe(404);
      expect(at.logs()).toMatch(/event=run\.started run=\w+ orchestrator=pruneBackups due=/);
    }),
  );

  it(
    "makes up once for all that came due while the host was down, also when it is killed with only the run's record",
    scheduled(async (at) => {
      // By its own next moment, which is years away, nothing would start.
      const schedule = { BACKUP_SCHEDULE: "0 0 0 29 2 *" };
      await at.start(schedule);
      await at.comeDue("2020-02-29T00:00:00.000Z", "2019-01-01T00:00:00.000Z");
      const opened = new Promise<string>((resolve) => {
        at.proxy.after = ({ method, blob }) => {
          if (method !== "PUT" || !blob.startsWith("index/")) return undefined;
          resolve(blob.replace(/^index\/\d+-/, ""));
          return new Promise<void>(() => undefined);
        };
      });
      await at.start(schedule);
      const run = await opened;
      await at.host?.kill();
      at.proxy.after = () => undefined;
      await at.start(schedule);
      await at.until(([first]) => first?.status === "completed");
      // With its id.
      const due = `event=run\\.started run=${run} .*due=2020-02-29T00:00:00\\S* late=yes`;
      expect(at.logs()).toMatch(new RegExp(due));
      await at.host?.stop();
      await at.start(schedule);
      expect(await at.runs()).toMatchObject([{ id: run, status: "completed" }]);
    }),
  );

  it(
    "starts one run for a moment that comes round twice",
    scheduled(async (at) => {
      await at.start({ BACKUP_SCHEDULE: "00:00:01" });
      const [first] = await at.until((all) => all[0]?.status === "completed");
      const due = new RegExp(
        `event=run\\.started run=${first?.id} orchestrator=backupSiteContent due=(\\S+)`,
      );
      const moment = new Date(due.exec(at.logs())?.[1] ?? "");
      // As if it had been killed when the run was started, and nobody had noted that its moment was over.
      await at.comeDue(moment.toISOString(), new Date(moment.getTime() - 1000).toISOString());
      await at.start({ BACKUP_SCHEDULE: "00:00:01" });
      await at.until(() => at.logs().includes(`event=run.settled run=${first?.id}`));
      const all = await at.until((all) => all.length >= 2);
      expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    }),
  );
});
