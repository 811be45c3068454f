// node scripts/build.mjs: compiles the app, the local host and the command line (dist/src, dist/local, dist/client, dist/cli),
// and the dashboard's page (dist/dashboard), which runs in a browser and is compiled for one.
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const tsc = path.join(root, "node_modules", "typescript", "bin", "tsc");

/** @param node the Node to compile on. Throws an Error with what failed. */
export function build(node = process.execPath) {
  const target = path.join(root, "dist", "dashboard");
  rmSync(target, { recursive: true, force: true });
  compile(node, "tsconfig.build.json");
  compile(node, path.join("dashboard", "tsconfig.build.json"));
  copyStatic(path.join(root, "dashboard"), path.join(target, "dashboard"));
  // The chart library is served as published: one module without imports, and its style sheet.
  const uplot = path.join(root, "node_modules", "uplot", "dist");
  cpSync(path.join(uplot, "uPlot.esm.js"), path.join(target, "dashboard", "vendor", "uplot.js"));
  cpSync(path.join(uplot, "uPlot.min.css"), path.join(target, "dashboard", "vendor", "uplot.css"));
}

function compile(node, project) {
  const { status, error } = spawnSync(node, [tsc, "-p", project], {
    cwd: root,
    stdio: ["ignore", process.stderr, "inherit"],
  });
  if (error || status !== 0) {
    throw new Error(`tsc -p ${project} failed (${error?.message ?? `exit code ${status}`}).`);
  }
}

/** The page's static files. */
function copyStatic(from, to) {
  for (const file of readdirSync(from, { recursive: true })) {
    if (/\.(html|css|svg)$/.test(file)) cpSync(path.join(from, file), path.join(to, file));
  }
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    build();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
