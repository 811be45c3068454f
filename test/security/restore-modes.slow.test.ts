/** While a directory is restored, and after that, another user of the machine reads no more of it than of what was backed up. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { chmod, mkdir, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { NOBODY } from "../harness/as-nobody.ts";
import { startStorageProxy } from "../harness/storage-proxy.ts";
import { RecordsHost } from "../api/host.ts";
import { startDrive } from "../harness/drive.ts";
import { temporary, write } from "../restore/tree.ts";
import { Life, mortalDrive } from "../prune/dying-service.ts";

const { azurite, drive } = startDrive();

/** Files that anybody may read, in directories that others may not look into. */
const SECRETS = ["private/secret", "private/open/secret", "group/secret", "private/large"];

const source = await backedUp();

async function backedUp(): Promise<string> {
  const root = mkdtempSync(path.join(tmpdir(), "restore-modes-"));
  await write(root, Object.fromEntries(SECRETS.map((name) => [name, "x".repeat(9)])));
  await write(root, { "open/public": "p", "private/large": "x".repeat(30) });
  for (const [name, mode] of Object.entries({
    private: 0o700,
    "private/open": 0o755,
    group: 0o750,
    open: 0o755,
  }))
    await chmod(path.join(root, name), mode);
  await chmod(root, 0o711);
  const { run } = await drive.backup({ root });
  rmSync(root, { recursive: true });
  return run;
}

/** A place that another user gets to. */
async function publicPlace(): Promise<string> {
  const place = temporary();
  await chmod(place, 0o755);
  return path.join(place, "restored");
}

/** Another user, who tries to read the secrets whenever he is told to: a process each time would be most of the test. */
function anotherUser(to: string) {
  const names = SECRETS.map((name) => path.join(to, name));
  const script = 'while read -r _; do grep -ls x "$@"; echo; done';
  const child = spawn("sh", ["-c", script, "sh", ...names], {
    uid: NOBODY,
    gid: NOBODY,
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.stdin.end());
  const read = new Set<string>();
  const waiting: (() => void)[] = [];
  createInterface(child.stdout).on("line", (line) => (line === "" ? waiting.shift()?.() : read.add(line)));
  const look = () =>
    new Promise<void>((seen) => {
      waiting.push(seen);
      child.stdin.write("\n");
    });
  return { read, look };
}

/** What another user read at any request that the restore made, or after it. It is killed after so many contents. */
async function restoreWatched(request: Record<string, unknown>, contents = Infinity) {
  const to = await publicPlace();
  const life = new Life();
  let fetched = 0;
  const { read, look } = anotherUser(to);
  life.before = async ({ method, url }) => {
    await look();
    if (method === "GET" && /\/backups\/[^?]/.test(url) && ++fetched > contents) life.left = 0;
  };
  const umask = process.umask(0);
  onTestFinished(() => void process.umask(umask));
  const restored = await mortalDrive(azurite.connectionString, life, { largeFile: 20 })
    .restore({ run: source, to, ...request })
    .catch(() => undefined);
  await look();
  return { to, read: [...read], restored };
}

/** The app on a host, with its storage behind a proxy. */
async function startHost() {
  const proxy = await startStorageProxy(azurite);
  const host = await RecordsHost.start({}, proxy.connectionString);
  onTestFinished(async () => {
    await host.process.stop();
    await proxy.stop();
  });
  return { proxy, host };
}

const modeOf = async (at: string) => ((await stat(at)).mode & 0o7777).toString(8);

describe.runIf(process.geteuid?.() === 0)("a restore never loosens", () => {
  test.each([
    ["of all", {}],
    ['with overwrite "never"', { overwrite: "never" }],
    ["of one file", { include: ["/private/secret"] }],
    ["of all but one file", { exclude: ["/private/secret"] }],
  ])("%s: neither meanwhile nor afterwards", async (_what, request) => {
    const { to, read, restored } = await restoreWatched(request);
    expect(restored?.tally).toMatchObject({ failures: [] });
    expect(read).toEqual([]);
    expect([await modeOf(to), await modeOf(path.join(to, "private"))]).toEqual(["711", "700"]);
  });

  test.each([1, 4])("broken off after %i contents", async (contents) => {
    const { to, read, restored } = await restoreWatched({}, contents);
    expect(restored).toBeUndefined();
    expect(read).toEqual([]);
    expect(await modeOf(path.join(to, "private"))).toBe("700");
  });

  test("that stops before it has begun: what it made has its mode", async () => {
    const run = await backedUp();
    await azurite.service.getContainerClient("backup-runs").deleteBlob(`${run}/outcomes/0-0000.jsonl`);
    const to = await publicPlace();
    const { tally } = await drive.restore({ run, to, delete: true });
    expect(tally.stopped).toContain("whole");
    expect(await modeOf(to)).toBe("711");
  });

  test("canceled: what it made has its mode and time once nothing of it writes any more", async () => {
    const { proxy, host } = await startHost();
    const root = temporary();
    await write(root, { "ro/a": "a", "ro/held": "h", "ro/deep/held": "h" });
    for (const [name, mode] of [
      ["ro/deep", 0o500],
      ["ro", 0o550],
      ["", 0o511],
    ] as const) {
      await utimes(path.join(root, name), 1_600_000_000, 1_600_000_000);
      await chmod(path.join(root, name), mode);
    }
    const { run } = await drive.backup({ root, container: "canceled" });
    let release = () => {};
    const held = new Promise<void>((go) => (release = go));
    let reached = () => {};
    const reading = new Promise<void>((go) => (reached = go));
    proxy.before = ({ method, container, blob }) => {
      if (method !== "GET" || container !== "canceled" || !blob.endsWith("held")) return undefined;
      reached();
      return held;
    };
    const to = await publicPlace();
    const restore = await host.start({ run, to }, "restoreSiteContent");
    await reading;
    expect((await host.fetch(`/backups/${restore}/cancel`, { method: "POST" })).status).toBe(200);
    expect(await host.run(restore)).toMatchObject({ status: "canceled" });
    release();
    expect(await host.status(restore)).toMatchObject({
      runtimeStatus: "Failed",
      output: expect.stringContaining("was canceled") as string,
      customStatus: { phase: "canceled" },
    });
    expect(await host.run(restore)).toMatchObject({ status: "canceled" });
    for (const name of ["", "ro", "ro/deep"]) {
      const at = path.join(to, name);
      if (!existsSync(at)) continue;
      expect([name, await modeOf(at), (await stat(at)).mtimeMs]).toEqual([
        name,
        await modeOf(path.join(root, name)),
        1_600_000_000_000,
      ]);
    }
    expect(await modeOf(path.join(to, "ro"))).toBe("550");
  });

  test("of what was there, nothing is opened wider than it was", async () => {
    const to = await publicPlace();
    await mkdir(path.join(to, "open"), { recursive: true, mode: 0o700 });
    await drive.restore({ run: source, to, overwrite: "never" });
    expect(await modeOf(path.join(to, "open"))).toBe("700");
  });
});
