/** The local host that the command line starts: who ends it, and when. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { makeTree } from "../harness/tree.ts";
import { objects, run, start } from "./command.ts";
import { expectNobody, readPid, useNoHost } from "./no-host.ts";

const own = useNoHost();

/** Where the backups go, so that a backup takes as long as its test wants. */
let azurite: TestStorage;
let proxy: StorageProxy;
/** The same environment, but for its storage. */
let env: Record<string, string | undefined>;

beforeAll(async () => {
  azurite = takeAccount();
  proxy = await startStorageProxy(azurite);
});
afterAll(async () => {
  await proxy?.stop();
  await azurite?.stop();
});
beforeEach(() => {
  env = { ...own.env, AzureWebJobsStorage: proxy.connectionString };
});

/**
 * Until it is called off, no file gets into this folder of the container, so a backup there does not end.
 * @returns calls it off; "drop" for what hosts have asked for that have gone since
 */
function hold(folder: string): (waiting?: "drop") => void {
  const released = Promise.withResolvers<"drop" | undefined>();
  proxy.before = ({ method, blob }) =>
    method === "PUT" && blob.startsWith(`${folder}/`) ? released.promise : undefined;
  return (waiting) => {
    proxy.before = () => undefined;
    released.resolve(waiting);
  };
}

it("Ctrl-C ends it too; the backup is paused, and continues with the next host, and the one after a crash", async () => {
  const root = await makeTree(path.join(own.folder, "tree"), { a: "1", b: "2" });
  const release = hold("paused");
  const backup = start(["backup", root, "--prefix", "paused"], { env });
  await backup.until(/Backing up/);
  backup.child.kill("SIGINT");
  const { code, stderr } = await backup.ended;
  expect(code).toBe(130);
  const [, id = ""] = /cancel (\w+)$/m.exec(stderr) ?? [];
  const back = ` site-backup watch ${id}\n`;
  expect(stderr).toMatch(new RegExp(` ${id} .*paused`));
  expect(stderr).toContain(back);
  await expectNobody(own);

  const crashed = start(["watch", id], { env });
  await crashed.until(/Backing up/);
  const children = readFileSync(`/proc/${crashed.child.pid}/task/${crashed.child.pid}/children`, "utf8");
  process.kill(Number(children.trim()), "SIGKILL");
  const after = await crashed.ended;
  expect(after.code).toBe(1);
  expect(after.stderr).toMatch(new RegExp(`host has ended.*\n.* ${id} .*paused`));
  expect(after.stderr).toContain(back);

  release("drop");
  const watched = await run(["watch", id, "--json"], { env });
  expect(objects(watched.stdout).at(-1)).toMatchObject({
    type: "end",
    status: "completed",
    counts: { copied: 2 },
  });
  expect(watched.code).toBe(0);
});

it("two commands at once share one host, which ends with the last of them", async () => {
  const one = await makeTree(path.join(own.folder, "one"), { a: "1" });
  const two = await makeTree(path.join(own.folder, "two"), { a: "1", b: "2" });
  const release = hold("two");
  const first = start(["backup", one, "--prefix", "one"], { env });
  const second = start(["backup", two, "--prefix", "two"], { env });
  expect(await first.ended).toMatchObject({ code: 0 });
  expect(second.child.exitCode).toBeNull();
  release();
  const { code, stdout } = await second.ended;
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("2 copied") });
  await expectNobody(own);
});

it("Ctrl-C while another command continues says so; a killed command is no longer a user", async () => {
  const root = await makeTree(path.join(own.folder, "tree"), { a: "1" });
  const release = hold("shared");
  const backup = start(["backup", root, "--prefix", "shared"], { env });
  await backup.until(/Backing up/);
  const id = String(objects((await run(["runs", "--json"], { env })).stdout)[0]?.["run"]);
  const watch = start(["watch", id], { env });
  await watch.until(/Backing up/);
  backup.child.kill("SIGINT");
  expect((await backup.ended).stderr).toMatch(new RegExp(` ${id} continues .*another command`));
  expect(watch.child.exitCode).toBeNull();
  watch.child.kill("SIGKILL");
  // The host lets what runs finish.
  release();
  await expect.poll(() => expectNobody(own), { timeout: 20_000 }).toBeUndefined();
});

it("Ctrl-C while it starts leaves nothing behind", async () => {
  const backup = start(["backup", own.folder], { env: own.env });
  await backup.until(/Starting/);
  // Azurite is on its way, and answers nobody yet.
  const pidFile = path.join(own.folder, "state", "azurite.pid");
  await expect.poll(() => readPid(pidFile), { timeout: 30_000 }).toBeGreaterThan(0);
  const azurite = readPid(pidFile);
  backup.child.kill("SIGINT");
  const { code, stdout, stderr } = await backup.ended;
  expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
  expect(stderr).toMatch(/^Starting .*\n$/);
  expect(() => process.kill(azurite, 0)).toThrow("ESRCH");
  await expectNobody(own);
});
