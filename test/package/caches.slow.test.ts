/** A Functions host that runs the clone restarts when a file in node_modules changes: a test run must leave it alone. */
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

/** What is directly in node_modules, where vite and vitest put things, and when it was changed. */
function modules(): Record<string, number> {
  const folder = path.join(root, "node_modules");
  const names = readdirSync(folder).filter((name) => name.startsWith("."));
  return Object.fromEntries([".", ...names].map((name) => [name, statSync(path.join(folder, name)).mtimeMs]));
}

it.each([
  ["npm", "run", "-s", "test", "--"],
  ["npx", "vitest", "run"],
])("a run of tests by %s writes nothing into node_modules", (command, ...args) => {
  const before = modules();
  const { npm_command: _, ...env } = process.env;
  const run = spawnSync(command, [...args, "test/model/path.test.ts"], {
    cwd: root,
    env,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  expect(run.stdout, run.stderr).toMatch(/1 passed/);
  expect(modules()).toEqual(before);
});
