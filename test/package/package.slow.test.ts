import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPackagedHost } from "./packaged-host.ts";

const root = path.resolve(import.meta.dirname, "../..");
const readJson = (...file: string[]) => JSON.parse(readFileSync(path.join(...file), "utf8"));

describe("the deployment package", () => {
  const work = mkdtempSync(path.join(tmpdir(), "site-backup-package-"));
  const app = path.join(work, "app");
  let zip: Uint8Array;
  let said: string;
  let files: string[];

  beforeAll(() => {
    ({ zip, said } = makePackage("first"));
    const content = unzipSync(zip);
    files = Object.keys(content);
    for (const [name, bytes] of Object.entries(content)) {
      mkdirSync(path.dirname(path.join(app, name)), { recursive: true });
      writeFileSync(path.join(app, name), bytes);
    }
  }, 120_000);

  afterAll(() => rmSync(work, { recursive: true, force: true }));

  it("says where it is, how many files it has and how big it is", () => {
    const size = (zip.length / 1024 / 1024).toFixed(1);
    expect(said).toContain(`${path.join(work, "first.zip")}: ${files.length} files, ${size} MiB`);
  });

  it("holds the app and what it needs at its root, and nothing else", () => {
    const top = new Set(files.map((file) => file.split("/")[0]));
    expect(top).toEqual(new Set(["dist", "host.json", "node_modules", "package.json"]));
    const built = files.filter((file) => file.startsWith("dist/"));
    expect(built.filter((file) => !/^dist\/(src|dashboard)\//.test(file))).toEqual([]);
  });

  it("is named by its package.json for the host, not for developers", () => {
    const { main, dependencies, type, ...rest } = readJson(app, "package.json");
    const own = readJson(root, "package.json");
    expect({ main, dependencies, type }).toEqual({
      main: own.main,
      dependencies: own.dependencies,
      type: "module",
    });
    for (const key of ["devDependencies", "scripts", "bin"]) expect(rest).not.toHaveProperty(key);
  });

  it("has the host trace as OpenTelemetry, without which it hands the app no trace to go on with", () => {
    const { telemetryMode, extensions, logging } = readJson(app, "host.json");
    expect(telemetryMode).toBe("OpenTelemetry");
    // Of the Durable extension V1 writes to Application Insights alone; where there is none it warns once it is enabled.
    expect(extensions.durableTask.tracing).toEqual({ version: "V2" });
    // In this mode the host leaves it unread: what it says would only seem to hold.
    expect(logging).not.toHaveProperty("applicationInsights");
  });

  it("holds every file that main matches in the build", () => {
    const { main } = readJson(root, "package.json");
    const matched = globSync(main, { cwd: app }).sort();
    expect(matched.length).toBeGreaterThan(0);
    expect(matched).toEqual(globSync(main, { cwd: root }).sort());
  });

  it("has its bill of materials beside it: the app, and each dependency with version and hash", () => {
    const { bomFormat, metadata, components } = readJson(work, "first.cdx.json");
    expect({ bomFormat, name: metadata.component.name }).toEqual({
      bomFormat: "CycloneDX",
      name: "site-backup",
    });
    const listed = new Set(components.map(({ purl }: { purl: string }) => purl));
    const installed = files.filter((file) =>
      /^node_modules\/(.*\/node_modules\/)?(@[^/]+\/)?[^/]+\/package\.json$/.test(file),
    );
    expect(installed.length).toBeGreaterThan(50);
    for (const file of installed) {
      const { name, version } = readJson(app, file);
      expect(listed, file).toContain(`pkg:npm/${name.replace("@", "%40")}@${version}`);
    }
    for (const { name, hashes } of components) expect(hashes, name).not.toEqual([]);
  });

  it("holds the production dependencies as locked, and no others", () => {
    const locked: Record<string, { dev?: boolean; optional?: boolean; version: string }> = readJson(
      root,
      "package-lock.json",
    ).packages;
    const wanted = Object.entries(locked).filter(([name, { dev, optional }]) => name && !dev && !optional);
    const versions = wanted.map(([name]) => [name, readJson(app, name, "package.json").version]);
    expect(versions).toEqual(wanted.map(([name, { version }]) => [name, version]));
    const developers = Object.keys(locked).filter((name) => locked[name]?.dev);
    expect(developers.length).toBeGreaterThan(0);
    const packages = new Set(
      files.filter((file) => file.endsWith("/package.json")).map((file) => path.posix.dirname(file)),
    );
    expect(developers.filter((name) => packages.has(name))).toEqual([]);
  });

  it("holds no setting, no source map, no test, and no path of the machine that made it", () => {
    const unwanted =
      /\.ts$|local\.settings|\.map$|\.test\.|\.tsbuildinfo$|\.env|\.npmrc$|\.package-lock\.json$/;
    const ours = files.filter((file) => !file.startsWith("node_modules/"));
    expect(ours.filter((file) => unwanted.test(file))).toEqual([]);
    expect(files.filter((file) => /\.map$|\.npmrc$|\.package-lock\.json$/.test(file))).toEqual([]);
    const theirs = files.filter((file) => file.startsWith("node_modules/"));
    const loaded = /\.([cm]?js|json|node|wasm)$|(^|\/)(licen[cs]e|notice|copying)[^/]*$/i;
    expect(theirs.filter((file) => !loaded.test(file))).toEqual([]);
    const tests = /\/(tests?|__tests__|examples?)\/|[./](test|spec)\.[cm]?js$/;
    expect(theirs.filter((file) => tests.test(file))).toEqual([]);
    const telling = ours.filter((file) => readFileSync(path.join(app, file), "utf8").includes(root));
    expect(telling).toEqual([]);
  });

  it("is not laid out in the current folder, which would be emptied, for an empty path", () => {
    const args = [
      path.join(root, "scripts/package.mjs"),
      "--zip",
      path.join(work, "none.zip"),
      "--folder",
      "",
    ];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: work, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 1, stderr: "--folder is empty: expected a path.\n" });
  });

  it.skipIf(process.platform === "win32")(
    "is the same, byte for byte, when it is made from the same packages on another machine",
    () => {
      // In place of `npm ci`: it lays the packages out at another time, with other modes.
      const npm = path.join(work, "bin", "npm");
      mkdirSync(path.dirname(npm));
      const lines = [
        '[ "$1" = ci ] || exit 0',
        `cp -R ${path.join(work, "first", "node_modules")} .`,
        "chmod -R go-rwx node_modules",
        "find node_modules -exec touch -d 2001-02-03 {} +",
      ];
      writeFileSync(npm, `#!/bin/sh\nset -e\n${lines.join("\n")}\n`, { mode: 0o755 });
      const env = { TZ: "Asia/Tokyo", PATH: `${path.dirname(npm)}:${process.env["PATH"]}` };
      expect(Buffer.compare(makePackage("second", env).zip, zip)).toBe(0);
      const { mtimeMs } = statSync(path.join(work, "second", "node_modules"));
      expect(new Date(mtimeMs).getFullYear()).toBe(2001);
    },
    120_000,
  );

  it("runs on its own: each file that main matches loads with the packaged dependencies", () => {
    const load = `
      const { globSync, readFileSync } = await import("node:fs");
      const { pathToFileURL } = await import("node:url");
      const { main } = JSON.parse(readFileSync("package.json", "utf8"));
      for (const file of globSync(main)) await import(pathToFileURL(file).href);
    `;
    const run = spawnSync(process.execPath, ["--input-type=module", "--eval", load], {
      cwd: app,
      encoding: "utf8",
      env: { PATH: process.env.PATH, AzureWebJobsStorage: "UseDevelopmentStorage=true" },
    });
    expect(run.stderr).not.toContain("Error");
    expect(run.status).toBe(0);
  });

  it("runs on the local host: a backup completes, and its output is the bytes of the tree", async () => {
    const site = path.join(work, "site");
    mkdirSync(site);
    writeFileSync(path.join(site, "index.html"), "<h1>hello</h1>");
    writeFileSync(path.join(site, "style.css"), "h1 { color: teal }");
    const host = await startPackagedHost(app, work, { BACKUP_ROOTS: site });
    try {
      const started = await fetch(`${host.url}/orchestrators/backupSiteContent`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(site),
      });
      expect(started.status).toBe(202);
      const { statusQueryGetUri } = (await started.json()) as { statusQueryGetUri: string };
      let answer = await fetch(statusQueryGetUri);
      while (answer.status === 202) {
        await sleep(100);
        answer = await fetch(statusQueryGetUri);
      }
      expect(await answer.json()).toMatchObject({ runtimeStatus: "Completed", output: 14 + 18 });
      const page = await (await fetch(`${host.url}/dashboard`)).text();
      const linked = [...page.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map(([, file]) => file);
      expect(linked.length).toBeGreaterThan(20);
      for (const file of linked) expect((await fetch(`${host.url}/${file}`)).status, file).toBe(200);
    } finally {
      await host.stop();
    }
  });

  /** Runs the script that makes the package, into this test's own folder. */
  function makePackage(name: string, env: NodeJS.ProcessEnv = {}) {
    const target = path.join(work, `${name}.zip`);
    const run = spawnSync(
      process.execPath,
      [path.join(root, "scripts/package.mjs"), "--zip", target, "--folder", path.join(work, name)],
      { encoding: "utf8", env: { ...process.env, ...env } },
    );
    if (run.status !== 0) throw new Error(`package.mjs failed: ${run.stdout}${run.stderr}`);
    return { zip: new Uint8Array(readFileSync(target)), said: run.stdout };
  }
});

describe(".funcignore", () => {
  it("leaves nothing of the repository in a deployment but what the host reads", () => {
    const list = (...args: string[]) =>
      spawnSync("git", ["ls-files", "--cached", ...args], { cwd: root, encoding: "utf8" })
        .stdout.split("\n")
        .filter((file) => file !== "");
    const ignored = new Set(list("--ignored", "--exclude-from=.funcignore"));
    const deployed = list().filter((file) => !ignored.has(file));
    expect(deployed.filter((file) => file !== "LICENSE")).toEqual(["host.json", "package.json"]);
  });
});
