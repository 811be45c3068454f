/** The local host that the command line starts: who ends it, and when. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { makeTree, manyFiles } from "../harness/tree.ts";
import { objects, run, start } from "./command.ts";
import { expectNobody, readPid, useNoHost } from "./no-host.ts";

const own = useNoHost();

it("Ctrl-C ends it too; the backup is paused, and continues with the next host, and the one after a crash", async () => {
  const root = await makeTree(path.join(own.folder, "tree"), manyFiles(400));
  const backup = start(["backup", root], { env: own.env });
  await backup.until(/Backing up/);
  backup.child.kill("SIGINT");
  const { code, stderr } = await backup.ended;
  expect(code).toBe(130);
  const [, id = ""] = /cancel (\w+)$/m.exec(stderr) ?? [];
  const back = `\n  To watch it:  site-backup watch ${id}\n`;
  expect(stderr).toContain(
    `Interrupted. The backup ${id} is paused: its host ends with this command.${back}`,
  );
  await expectNobody(own);

  const crashed = start(["watch", id], { env: own.env });
  await crashed.until(/Backing up/);
  const children = readFileSync(`/proc/${crashed.child.pid}/task/${crashed.child.pid}/children`, "utf8");
  process.kill(Number(children.trim()), "SIGKILL");
  const after = await crashed.ended;
  expect(after.code).toBe(1);
  expect(after.stderr).toContain(
    `\nThe local host has ended.\nThe backup ${id} is paused until a local host runs again.${back}`,
  );

  const watched = await run(["watch", id, "--json"], { env: own.env });
  expect(objects(watched.stdout).at(-1)).toMatchObject({
    type: "end",
    status: "completed",
    counts: { copied: 400 },
  });
  expect(watched.code).toBe(0);
});

it("two commands at once share one host, which ends with the last of them", async () => {
  const one = await makeTree(path.join(own.folder, "one"), { a: "1" });
  const many = await makeTree(path.join(own.folder, "many"), manyFiles(400));
  const first = start(["backup", one, "--prefix", "one"], { env: own.env });
  const second = start(["backup", many, "--prefix", "many"], { env: own.env });
  expect(await first.ended).toMatchObject({ code: 0 });
  expect(second.child.exitCode).toBeNull();
  const { code, stdout } = await second.ended;
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("400 copied") });
  await expectNobody(own);
});

it("Ctrl-C while another command continues says so; a killed command is no longer a user", async () => {
  const root = await makeTree(path.join(own.folder, "tree"), manyFiles(4_000));
  const backup = start(["backup", root], { env: own.env });
  await backup.until(/Backing up/);
  const id = String(objects((await run(["runs", "--json"], { env: own.env })).stdout)[0]?.["run"]);
  const watch = start(["watch", id], { env: own.env });
  await watch.until(/Backing up/);
  backup.child.kill("SIGINT");
  expect((await backup.ended).stderr).toContain(
    `The backup ${id} continues as long as another command uses the local host.`,
  );
  expect(watch.child.exitCode).toBeNull();
  watch.child.kill("SIGKILL");
  await expect.poll(() => expectNobody(own), { timeout: 20_000 }).toBeUndefined();
});

it("Ctrl-C while it starts leaves nothing behind", async () => {
  const backup = start(["backup", own.folder], { env: own.env });
  await backup.until(/Starting the local host/);
  // Azurite is on its way, and answers nobody yet.
  const pidFile = path.join(own.folder, "state", "azurite.pid");
  await expect.poll(() => readPid(pidFile), { timeout: 30_000 }).toBeGreaterThan(0);
  const azurite = readPid(pidFile);
  backup.child.kill("SIGINT");
  expect(await backup.ended).toEqual({ code: 130, stdout: "", stderr: "Starting the local host …\n" });
  expect(() => process.kill(azurite, 0)).toThrow("ESRCH");
  await expectNobody(own);
});
