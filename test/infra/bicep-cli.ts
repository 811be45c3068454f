// The Bicep compiler, fetched once into node_modules/.cache, and what the tests ask of it.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");
const cache = path.join(root, "node_modules", ".cache", "bicep");

export const infra = path.join(root, "infra");

/** A resource as a deployment would make it; what is known only then stays an `[expression]`. */
export interface Resource {
  id: string;
  type: string;
  name: string;
  tags?: Record<string, string>;
  // The shape is that of the resource's type; a test names what it looks at.
  // oxlint-disable-next-line typescript/no-explicit-any
  properties: any;
}

export interface Snapshot {
  predictedResources: Resource[];
  diagnostics: unknown[];
  outputs: Record<string, unknown>;
}

/**
 * The compiler's path, or why there is none. On a build server that has dotnet a failed download is an
 * error: a check that silently stops running is worse than a red build.
 */
export function bicepCompiler(): { path: string } | { missing: string } {
  const found = compilerInCache();
  if (found) return { path: found };
  if (spawnSync("dotnet", ["--version"]).status !== 0) return { missing: "dotnet is not installed" };
  mkdirSync(cache, { recursive: true });
  copyFileSync(path.join(import.meta.dirname, "bicep-cli.proj"), path.join(cache, "bicep-cli.proj"));
  const restore = spawnSync("dotnet", ["restore", "bicep-cli.proj", `-p:BicepRuntime=${runtime()}`], {
    cwd: cache,
    encoding: "utf8",
    timeout: 120_000,
  });
  const fetched = restore.status === 0 ? compilerInCache() : undefined;
  if (fetched) return { path: fetched };
  const missing = `dotnet restore could not fetch the Bicep compiler: ${restore.stdout}${restore.stderr}`;
  if (process.env.CI === "true") throw new Error(missing);
  return { missing };
}

/** Runs the compiler on one file. `diagnostics` has one entry for each warning or error. */
export function bicep(compiler: string, command: "build" | "lint", file: string) {
  const args = command === "build" ? ["build", file, "--stdout"] : ["lint", file];
  const run = spawnSync(compiler, args, { encoding: "utf8", maxBuffer: 16 * 1024 * 1024 });
  const said = command === "build" ? run.stderr : run.stdout + run.stderr;
  return {
    status: run.status,
    output: run.stdout,
    diagnostics: said.split("\n").filter((line) => /: (Warning|Error) /.test(line)),
  };
}

/** What a deployment of main.bicep with these parameters would make, worked out without Azure. */
export function snapshot(compiler: string, parameters: Record<string, unknown>): Snapshot {
  const folder = mkdtempSync(path.join(tmpdir(), "site-backup-bicep-"));
  const file = path.join(folder, "main.bicepparam");
  const main = path.relative(folder, path.join(infra, "main.bicep")).replaceAll("\\", "/");
  const lines = Object.entries(parameters).map(([name, value]) =>
    typeof value === "string"
      ? `param ${name} = '${value}'`
      : `param ${name} = json('${JSON.stringify(value)}')`,
  );
  writeFileSync(file, [`using '${main}'`, ...lines].join("\n"));
  const options = {
    mode: "overwrite",
    location: "westeurope",
    "deployment-name": "main",
    "subscription-id": "00000000-0000-0000-0000-000000000001",
    "tenant-id": "00000000-0000-0000-0000-000000000002",
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const run = spawnSync(compiler, ["snapshot", file, ...args], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`bicep snapshot failed: ${run.stdout}${run.stderr}`);
  return JSON.parse(readFileSync(path.join(folder, "main.snapshot.json"), "utf8")) as Snapshot;
}

function compilerInCache(): string | undefined {
  const name = process.platform === "win32" ? "bicep.exe" : "bicep";
  const pattern = `packages/azure.bicep.commandline.${runtime()}/0.47.16/tools/${name}`;
  const found = globSync(pattern, { cwd: cache })[0];
  if (!found) return undefined;
  const file = path.join(cache, found);
  if (process.platform !== "win32") chmodSync(file, 0o755);
  return file;
}

/** The name that .NET gives to this kind of machine. */
function runtime(): string {
  const system = { linux: "linux", darwin: "osx", win32: "win" }[process.platform as string];
  return `${system}-${process.arch}`;
}
