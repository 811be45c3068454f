/** A backup of which there is only a part: while it is in progress it is not read, and afterwards whoever reads it is told. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { isWrite, startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { here } from "../cli/here.ts";
import { ENGINE, RecordsHost } from "../api/host.ts";
import { snapshotOf, temporary, write } from "./tree.ts";

let azurite: TestStorage;
let proxy: StorageProxy;
let host: RecordsHost;

beforeAll(async () => {
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
  // A part for each file, so that one is recorded while another is copied.
  host = await RecordsHost.start({ BACKUP_LIST_FILES: "1" }, proxy.connectionString);
});
afterEach(() => {
  proxy.before = () => undefined;
});
afterAll(async () => {
  await host?.process.stop();
  await proxy?.stop();
  await azurite?.stop();
});

/** A backup of two files that has copied one of them and waits to write the other, until that is let go. */
async function halfWay(container: string): Promise<{ id: string; release: () => void }> {
  const root = temporary();
  await write(root, { first: "one", second: "two" });
  let release = () => {};
  const held = new Promise<void>((go) => (release = go));
  proxy.before = (request) =>
    request.container === container && request.blob === "second" && isWrite(request) ? held : undefined;
  const id = await host.start({ root, container });
  while ((await host.files(id, "?outcome=copied")).files.length === 0) await sleep(20);
  return { id, release: () => release() };
}

test.each([
  ["canceled", (id: string) => `/backups/${id}/cancel`],
  ["terminated", (id: string) => `${ENGINE}/${id}/terminate?reason=x`],
])("one in progress is refused; once %s it is restored and verified as a part", async (how, route) => {
  const { id, release } = await halfWay(how.replace(" ", "-"));
  const to = temporary();
  const requests = [
    ["restoreSiteContent", { run: id, to }, 3],
    ["verifyBackup", { run: id }, 1],
  ] as const;
  for (const [orchestrator, body] of requests) {
    const init = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    const answer = await host.fetch(`/orchestrators/${orchestrator}`, init);
    expect([answer.status, answer.json()]).toEqual([
      409,
      expect.objectContaining({
        activeRun: id,
        detail: expect.stringContaining(id) as string,
      }),
    ]);
  }
  await host.fetch(route(id), { method: "POST" });
  await host.status(id);
  const note = expect.stringMatching(new RegExp(`partial.* ${id} .*${how}`)) as string;
  for (const [orchestrator, body, output] of requests) {
    const reader = await host.start(body, orchestrator);
    expect(await host.status(reader)).toMatchObject({
      runtimeStatus: "Completed",
      output,
      customStatus: { note },
    });
    expect(await host.run(reader)).toMatchObject({ status: "completed", message: note });
  }
  expect([...(await snapshotOf(to)).keys()]).toEqual(["first"]);
  release();
});

test("one in which files failed is told of on the command line, one that is whole is not", async () => {
  const root = temporary();
  await write(root, { fine: "fine", "bad.": "no blob can have this name" });
  const { id } = await host.backUp({ root, container: "failed" });
  const env = { FUNCTIONS_PORT: new URL(host.process.url).port };
  const note = `.*partial.* ${id} failed`;
  const restored = await here(["restore", id, "--to", temporary()], { env });
  expect(restored).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(new RegExp(`^  Note     ${note}`, "m")) as string,
  });
  expect((await here(["verify", id, "--json"], { env })).stdout).toMatch(new RegExp(`"message":"${note}`));

  const whole = await host.backUp({ root, container: "whole", exclude: ["bad."] });
  const verified = await here(["verify", whole.id], { env });
  expect(verified.code).toBe(0);
  expect(verified.stdout).not.toContain("Note");
});
