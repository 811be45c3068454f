/** A prune on a host that is killed, with SIGKILL, at random moments. */
import { rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LAYOUTS } from "../../src/model/names.ts";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { followRun } from "../harness/run.ts";
import { snapshotOf, temporary, write } from "../restore/tree.ts";

/** Kills of one prune, each somewhere in what is left of it. */
const KILLS = 3;

let host: LocalHostProcess;

beforeAll(async () => {
  host = await startLocalHost({ entry: "build" });
});
afterAll(async () => {
  await host?.stop();
});

async function start(orchestrator: string, body: unknown): Promise<{ id: string; path: string }> {
  const answer = await fetch(`${host.url}/orchestrators/${orchestrator}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status !== 202) throw new Error(await answer.text());
  const { id, statusQueryGetUri } = (await answer.json()) as { id: string; statusQueryGetUri: string };
  const { pathname, search } = new URL(statusQueryGetUri);
  return { id, path: pathname + search };
}

async function end(orchestrator: string, body: unknown) {
  const { id, path: status } = await start(orchestrator, body);
  return { id, ...(await followRun(host.url + status)) };
}

test.each(LAYOUTS)(
  "a prune continues where it was killed; counts are right, and kept runs restore and verify: %s",
  async (layout) => {
    const container = `killed-${layout}`;
    const root = temporary();
    const files = (content: string) =>
      Object.fromEntries(Array.from({ length: 120 }, (_none, i) => [`d${i % 4}/f${i}`, `${content} ${i}`]));
    const place = { root, container, layout, mode: "incremental" };
    await write(root, { same: "same" });
    // What is to stay in a pack of its own: it goes as a whole, or not at all.
    if (layout === "packs") await end("backupSiteContent", place);
    await write(root, files("first"));
    const first = await end("backupSiteContent", place);
    await write(root, files("second one"));
    await end("backupSiteContent", place);
    await rm(path.join(root, "d0"), { recursive: true });
    const wanted = await snapshotOf(root);
    const kept = await end("backupSiteContent", place);

    const request = { container, keepLast: 1 };
    const told = await end("pruneBackups", { ...request, dryRun: true });
    const prune = await start("pruneBackups", request);
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(20 + Math.random() * 500);
      await host.kill();
      host = await host.restart();
    }
    expect(await followRun(host.url + prune.path)).toMatchObject({
      runtimeStatus: "Completed",
      output: told.output,
    });
    const counts = async (id: string) =>
      ((await (await fetch(`${host.url}/backups/${id}`)).json()) as { counts: object }).counts;
    expect(await counts(prune.id)).toEqual(await counts(told.id));
    expect(await end("verifyBackup", { run: kept.id, readData: true })).toMatchObject({ output: 91 });
    const to = temporary();
    await end("restoreSiteContent", { run: kept.id, to });
    expect(await snapshotOf(to)).toEqual(wanted);
    const service = BlobServiceClient.fromConnectionString(host.connectionString);
    const left: string[] = [];
    for await (const { name } of service
      .getContainerClient(container)
      .listBlobsFlat({ includeSnapshots: true }))
      left.push(name);
    const isOfFirst = (name: string) => name.includes(`/${first.id}/`);
    const needed = layout === "files" ? [...wanted.keys()] : left.filter((name) => !isOfFirst(name));
    expect(left.sort()).toEqual(needed.sort());
  },
  180_000,
);
