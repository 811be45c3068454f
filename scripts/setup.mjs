// Prepares a clone: installs the dependencies from the lock file and builds the current sources. Does nothing if both
// are up to date. Runs on any Node from 20 on without dependencies; everything after it runs on the Node that the
// dependencies contain.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const BUILD_INPUTS = [
  "src",
  "local",
  "client",
  "cli",
  "dashboard",
  "scripts/build.mjs",
  "tsconfig.json",
  "tsconfig.build.json",
  "package.json",
];

/** The Node that the `node` package puts into node_modules; every command of the project runs on it. */
export const nodeBinary = path.join(
  root,
  "node_modules",
  "node",
  "bin",
  process.platform === "win32" ? "node.exe" : "node",
);

/** Installs and builds what is missing or out of date. Throws an Error with what to do when a step fails. */
export function setup() {
  const lock = path.join(root, ".setup-lock");
  acquire(lock);
  try {
    installAndBuild();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Two commands must not install at the same time: the second waits for the first, unless that one has died. */
function acquire(lock) {
  for (let said = false; ; said = true) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const holder = Number(read(lock));
      if (!isAlive(holder)) rmSync(lock, { force: true });
      else {
        if (!said) say(`Waiting for process ${holder} to finish the set-up …`);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      }
    }
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function installAndBuild() {
  if (!isInstalled()) {
    say("Installing dependencies (npm ci) …");
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    run(npm, ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], {
      shell: process.platform === "win32",
    });
  }
  const sources = digest(BUILD_INPUTS.flatMap((name) => files(path.join(root, name))));
  const built = path.join(root, "dist", ".built-from");
  if (read(built) !== sources) {
    say("Building …");
    rmSync(path.join(root, "dist"), { recursive: true, force: true });
    build(nodeBinary);
    mkdirSync(path.dirname(built), { recursive: true });
    writeFileSync(built, sources);
  }
}

/** Whether node_modules matches the lock file, whoever installed it: npm keeps its own record there. */
function isInstalled() {
  const record = read(path.join(root, "node_modules", ".package-lock.json"));
  if (record === undefined || !existsSync(nodeBinary)) return false;
  const { packages: installed } = JSON.parse(record);
  const { packages: locked } = JSON.parse(read(path.join(root, "package-lock.json")));
  return Object.entries(locked).every(([name, { version, integrity, optional }]) => {
    if (name === "") return true;
    const there = installed[name];
    // Packages for other platforms are not installed.
    return there ? there.version === version && there.integrity === integrity : optional === true;
  });
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", process.stderr, "inherit"],
    ...options,
  });
  if (error || status !== 0) {
    throw new Error(
      `${path.basename(command)} ${args.join(" ")} failed (${error?.message ?? `exit code ${status}`}).`,
    );
  }
}

function files(target) {
  if (!existsSync(target)) return [];
  if (statSync(target).isFile()) return [target];
  return readdirSync(target)
    .sort()
    .flatMap((name) => files(path.join(target, name)));
}

function digest(paths) {
  const hash = createHash("sha256");
  for (const file of paths)
    hash
      .update(`${path.relative(root, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  return hash.digest("hex");
}

function read(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    setup();
  } catch (error) {
    say(`Set-up failed: ${error.message}`);
    process.exit(1);
  }
}
