/** The set-up of a clone, with an npm that only notes that it was called. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeFolder } from "../harness/tree.ts";

const root = path.resolve(import.meta.dirname, "../..");
let clone: string;

beforeEach(async () => {
  clone = await makeFolder("setup");
  cpSync(path.join(root, "scripts"), path.join(clone, "scripts"), { recursive: true });
  cpSync(path.join(root, "package-lock.json"), path.join(clone, "package-lock.json"));
  mkdirSync(path.join(clone, "node_modules"));
  // What npm ci leaves behind, whoever ran it, and the Node that it brings.
  cpSync(
    path.join(root, "node_modules", ".package-lock.json"),
    path.join(clone, "node_modules", ".package-lock.json"),
  );
  symlinkSync(path.join(root, "node_modules", "node"), path.join(clone, "node_modules", "node"));
  mkdirSync(path.join(clone, "bin"));
  writeFileSync(path.join(clone, "bin", "npm"), '#!/bin/sh\necho "$@" > "$NPM_CALLED"\nexit 1\n');
  chmodSync(path.join(clone, "bin", "npm"), 0o755);
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

/** What npm was called with; undefined when it was not. The build that follows finds nothing to build, and fails. */
function setUp(): string | undefined {
  const called = path.join(clone, "called");
  const run = spawnSync(process.execPath, [path.join(clone, "scripts", "setup.mjs")], {
    encoding: "utf8",
    env: { ...process.env, NPM_CALLED: called, PATH: `${path.join(clone, "bin")}:${process.env["PATH"]}` },
  });
  expect(run.stderr).toContain("Set-up failed");
  return existsSync(called) ? readFileSync(called, "utf8") : undefined;
}

it.runIf(process.platform !== "win32")(
  "installs nothing after npm ci, and anew when the lock file changes",
  () => {
    expect(setUp()).toBeUndefined();
    const file = path.join(clone, "package-lock.json");
    const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, { version: string }> };
    lock.packages["node_modules/zod"]!.version = "0.0.1";
    writeFileSync(file, JSON.stringify(lock));
    expect(setUp()).toMatch(/^ci /);
  },
);
