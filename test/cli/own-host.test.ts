/** `site-backup backup` where no local host is up: it starts one, and ends it. */
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freePort } from "../harness/local-host.ts";
import { makeFolder, makeTree, manyFiles } from "../harness/tree.ts";
import { objects, run, start } from "./command.ts";

let folder: string;
let env: Record<string, string | undefined>;
beforeEach(async () => {
  folder = await makeFolder("cli-own");
  env = {
    FUNCTIONS_PORT: String(await freePort()),
    AZURITE_BLOB_PORT: String(await freePort()),
    LOCAL_HOST_STATE: path.join(folder, "state"),
    AzureWebJobsStorage: "UseDevelopmentStorage=true",
    BackupStorage: undefined,
    BACKUP_REQUESTS_IN_FLIGHT: "2",
  };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Neither the host nor Azurite is left behind. */
async function expectNobody(): Promise<void> {
  for (const port of [env["FUNCTIONS_PORT"], env["AZURITE_BLOB_PORT"]]) {
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow("fetch failed");
  }
}

/** The process that the host has noted; 0 before it has. */
function readPid(file: string): number {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { pid: number }).pid;
  } catch {
    return 0;
  }
}

it("starts it, backs up, and ends it", async () => {
  const root = await makeTree(path.join(folder, "tree"), { a: "12345" });
  const { code, stdout, stderr } = await run(["backup", root], { env });
  expect(stderr).toBe(`Starting the local host …\nBacking up ${root}\n`);
  expect(stdout).toMatch(/Output {3}5$/m);
  expect(code).toBe(0);
  await expectNobody();
});

it("Ctrl-C ends it too; the backup is paused, and goes on with the next host, and the one after a crash", async () => {
  const root = await makeTree(path.join(folder, "tree"), manyFiles(400));
  const backup = start(["backup", root], { env });
  await backup.until(/Backing up/);
  backup.child.kill("SIGINT");
  const { code, stderr } = await backup.ended;
  expect(code).toBe(130);
  const [, id = ""] = /cancel (\w+)$/m.exec(stderr) ?? [];
  const back = `\n  To watch it:  site-backup watch ${id}\n`;
  expect(stderr).toContain(
    `Interrupted. The backup ${id} is paused: its host ends with this command.${back}`,
  );
  await expectNobody();

  const crashed = start(["watch", id], { env });
  await crashed.until(/Backing up/);
  const children = readFileSync(`/proc/${crashed.child.pid}/task/${crashed.child.pid}/children`, "utf8");
  process.kill(Number(children.trim()), "SIGKILL");
  const after = await crashed.ended;
  expect(after.code).toBe(1);
  expect(after.stderr).toContain(
    `\nThe local host has ended.\nThe backup ${id} is paused until a local host runs again.${back}`,
  );

  const watched = await run(["watch", id, "--json"], { env });
  expect(objects(watched.stdout).at(-1)).toMatchObject({
    type: "end",
    status: "completed",
    counts: { copied: 400 },
  });
  expect(watched.code).toBe(0);
});

it("two commands at once share one host, which ends with the last of them", async () => {
  const one = await makeTree(path.join(folder, "one"), { a: "1" });
  const many = await makeTree(path.join(folder, "many"), manyFiles(400));
  const first = start(["backup", one, "--prefix", "one"], { env });
  const second = start(["backup", many, "--prefix", "many"], { env });
  expect(await first.ended).toMatchObject({ code: 0 });
  expect(second.child.exitCode).toBeNull();
  const { code, stdout } = await second.ended;
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("400 copied") });
  await expectNobody();
});

it("Ctrl-C where another command goes on says so; a killed command is no longer a user", async () => {
  const root = await makeTree(path.join(folder, "tree"), manyFiles(400));
  const backup = start(["backup", root], { env });
  await backup.until(/Backing up/);
  const id = String(objects((await run(["runs", "--json"], { env })).stdout)[0]?.["run"]);
  const watch = start(["watch", id], { env });
  await watch.until(/Backing up/);
  backup.child.kill("SIGINT");
  expect((await backup.ended).stderr).toContain(
    `The backup ${id} goes on for as long as another command uses the local host.`,
  );
  expect(watch.child.exitCode).toBeNull();
  watch.child.kill("SIGKILL");
  await expect.poll(expectNobody, { timeout: 20_000 }).toBeUndefined();
});

it("Ctrl-C while it starts leaves nothing behind", async () => {
  const backup = start(["backup", folder], { env });
  await backup.until(/Starting the local host/);
  // Azurite is on its way, and answers nobody yet.
  const pidFile = path.join(folder, "state", "azurite.pid");
  await expect.poll(() => readPid(pidFile), { timeout: 30_000 }).toBeGreaterThan(0);
  const azurite = readPid(pidFile);
  backup.child.kill("SIGINT");
  expect(await backup.ended).toEqual({ code: 130, stdout: "", stderr: "Starting the local host …\n" });
  expect(() => process.kill(azurite, 0)).toThrow("ESRCH");
  await expectNobody();
});

it("cannot start: says why, exit code 1", async () => {
  const { code, stderr } = await run(["backup", folder], {
    env: { ...env, AzureWebJobsStorage: "nonsense" },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/The local host did not start\..*AzureWebJobsStorage/s);
});
