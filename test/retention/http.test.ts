/** Pruning as its users have it: over HTTP, on the local host. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RecordsHost } from "../records/host.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

let host: RecordsHost;

beforeAll(async () => {
  host = await RecordsHost.start();
});
afterAll(async () => {
  await host?.process.stop();
});

function post(orchestrator: string, body: unknown) {
  return host.fetch(`/orchestrators/${orchestrator}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** The status of an orchestration that has ended. */
async function statusOf(id: string) {
  const url = `/runtime/webhooks/durabletask/instances/${id}`;
  for (;;) {
    const answer = await host.fetch(url);
    if (answer.status === 200)
      return answer.json() as {
        runtimeStatus: string;
        output: unknown;
        customStatus: Record<string, unknown>;
      };
  }
}

/** Backs up, and gives the run once the next one may begin. */
async function backUp(body: unknown) {
  const id = await host.start(body);
  await statusOf(id);
  return await host.run(id);
}

test("three backups, a dry run, a prune, what is left to list and to restore", async () => {
  const root = temporary();
  const place = { root, container: "site" };
  await write(root, { same: "same", changes: "one" });
  const first = await backUp(place);
  await writeFile(path.join(root, "changes"), "second");
  const wanted = await snapshotOf(root);
  const second = await backUp({ ...place, mode: "incremental" });
  await write(root, { changes: "3", later: "later" });
  const third = await backUp({ ...place, mode: "incremental" });

  const request = { container: "site", keepLast: 2 };
  const dry = await host.start({ ...request, dryRun: true }, "pruneBackups");
  const told = await statusOf(dry);
  expect(told).toMatchObject({
    runtimeStatus: "Completed",
    customStatus: {
      phase: "completed",
      dryRun: true,
      runs: { kept: 2, forgotten: 1 },
      counts: { deleted: 2, unchanged: 2 },
    },
  });
  expect(await host.run(dry)).toMatchObject({
    kind: "prune",
    dryRun: true,
    status: "completed",
    bytes: told.output,
  });
  const going = await host.files(dry, "?outcome=deleted");
  expect(going.files.map(({ path: name, reason }) => [name, reason?.split(",")[0]])).toEqual([
    ["changes", expect.stringMatching(/^would be: the snapshot of /)],
    [`backup-runs/${first.id}`, `would be: the record of the forgotten run of ${first.started}`],
  ]);
  expect((await host.runs()).runs.map(({ id }) => id)).toEqual([third.id, second.id, first.id]);

  const prune = await host.start(request, "pruneBackups");
  expect(await statusOf(prune)).toMatchObject({ runtimeStatus: "Completed", output: told.output });
  expect(await host.run(prune)).toMatchObject({ kind: "prune", counts: { deleted: 2 }, bytes: told.output });
  expect((await host.runs()).runs.map(({ id }) => id)).toEqual([third.id, second.id]);
  expect((await host.runs("?kind=prune")).runs.map(({ id }) => id)).toEqual([prune, dry]);

  const to = temporary();
  expect(await statusOf(await host.start({ run: second.id, to }, "restoreSiteContent"))).toMatchObject({
    runtimeStatus: "Completed",
  });
  expect(await snapshotOf(to)).toEqual(wanted);
  expect((await host.fetch(`/backups/${first.id}`)).status).toBe(404);
  const gone = await post("restoreSiteContent", { run: first.id, to });
  expect(gone.status).toBe(404);
  expect(gone.text).toContain("a prune may have forgotten it");
  // The lock is free again.
  expect(await backUp(place)).toMatchObject({ status: "completed" });
});

test.each([
  [{}, "no keep option is given, and a prune that keeps nothing is refused"],
  [{ keepLast: 0, keepDaily: 0 }, "no keep option is given"],
  [{ keepLast: -1 }, '"keepLast": expected a whole number, or "unlimited"'],
  [{ keepWithin: "soon" }, '"keepWithin": expected a span such as "30d"'],
  [{ keepLast: 1, keepForever: 1 }, 'unknown field "keepForever"'],
  ["all", "must be a JSON object with at least one keep option"],
  [{ keepLast: 1, container: "backup-runs" }, '"container"'],
])("%j is answered 400", async (body, detail) => {
  const answer = await post("pruneBackups", body);
  expect(answer.status).toBe(400);
  expect((answer.json() as { detail: string }).detail).toContain(detail);
});
