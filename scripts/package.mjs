// node scripts/package.mjs [--zip FILE] [--folder FOLDER]: builds the deployment package from a build: the compiled
// app, host.json, a package.json without what only developers need, and the production dependencies from the lock
// file. It makes a folder and a zip; the same inputs give the same zip. Beside the zip it writes its bill of
// materials (SBOM, CycloneDX), with .cdx.json in place of .zip.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  createWriteStream,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ZipFile } from "yazl";
import { billOfMaterials } from "./sbom.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/** What the host and Node read in a package.json; the rest is for developers. */
const MANIFEST = [
  "name",
  "version",
  "description",
  "private",
  "license",
  "type",
  "main",
  "imports",
  "engines",
  "dependencies",
];

/** Left out of our own build: only for compilers and debuggers. */
const USELESS = /\.(map|tsbuildinfo|d\.ts)$/;
/** What Node loads of a dependency, and the files its licence requires. */
const LOADED = /\.([cm]?js|json|node|wasm)$|(^|\/)(licen[cs]e|notice|copying)[^/]*$/i;
/** Parts of a dependency for its own developers: tests, examples, configuration. */
const FOR_ITS_DEVELOPERS =
  /\/node_modules\/(@[^/]+\/)?[^/]+\/(tests?|__tests__|examples?|benchmarks?|docs|\.[^/]+)\/|[./](test|spec)\.[cm]?js$|\/(tsconfig[^/]*|tsdoc-metadata)\.json$/;
/** The Azure SDK's files for browsers and React Native, which Node never resolves. */
const OTHER_PLATFORMS = [
  "node_modules/@azure/msal-browser/{dist,lib}",
  "node_modules/@azure/msal-common/{browser,dist-browser}",
  "node_modules/@{azure,typespec}/*/dist/{browser,react-native}",
  // Builds for bundlers: Node takes the one in build/src.
  "node_modules/**/@opentelemetry/*/build/{esm,esnext}",
];

const { values } = parseArgs({
  options: {
    zip: { type: "string", default: path.join(root, "site-backup.zip") },
    folder: { type: "string", default: path.join(root, ".local", "package") },
  },
});

try {
  // The folder is emptied first, and an empty path is the current one.
  for (const [name, value] of Object.entries(values))
    if (value.trim() === "") throw new Error(`--${name} is empty: expected a path.`);
  const folder = path.resolve(values.folder);
  const zip = path.resolve(values.zip);
  stage(folder);
  const files = prune(folder);
  await writeZip(folder, files, zip);
  writeFileSync(`${zip.replace(/\.zip$/i, "")}.cdx.json`, billOfMaterials());
  const size = (statSync(zip).size / 1024 / 1024).toFixed(1);
  process.stdout.write(`${zip}: ${files.length} files, ${size} MiB\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** Lays out the package in an empty folder. */
function stage(folder) {
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  if (globSync(manifest.main, { cwd: root }).length === 0) {
    throw new Error(
      `There is nothing to package: no file matches ${manifest.main}. Run "npm run build" first.`,
    );
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "package-lock.json", ".npmrc"]) {
    if (existsSync(path.join(root, name))) copyFileSync(path.join(root, name), path.join(folder, name));
  }
  npmCi(folder);
  for (const name of [
    "package-lock.json",
    ".npmrc",
    "node_modules/.bin",
    "node_modules/.package-lock.json",
  ]) {
    rmSync(path.join(folder, name), { recursive: true, force: true });
  }
  const kept = Object.fromEntries(
    MANIFEST.filter((key) => key in manifest).map((key) => [key, manifest[key]]),
  );
  writeFileSync(path.join(folder, "package.json"), `${JSON.stringify(kept, undefined, 2)}\n`);
  copyFileSync(path.join(root, "host.json"), path.join(folder, "host.json"));
  for (const part of ["src", "dashboard"]) {
    cpSync(path.join(root, "dist", part), path.join(folder, "dist", part), { recursive: true });
  }
}

/** Production dependencies, exactly as locked; none of them needs an install script. */
function npmCi(folder) {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const args = ["ci", "--omit=dev", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  const { status, error } = spawnSync(npm, [...args, "--loglevel=error"], {
    cwd: folder,
    stdio: ["ignore", process.stderr, "inherit"],
    shell: process.platform === "win32",
  });
  if (error || status !== 0) {
    throw new Error(`npm ${args.join(" ")} failed (${error?.message ?? `exit code ${status}`}).`);
  }
}

/** Removes what is useless at run time. Returns the remaining files, sorted, with `/` between segments. */
function prune(folder) {
  for (const name of globSync(OTHER_PLATFORMS, { cwd: folder })) {
    rmSync(path.join(folder, name), { recursive: true });
  }
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
  const useless = new Set(files.filter((file) => !runs(file)));
  for (const file of useless) rmSync(path.join(folder, file));
  return files.filter((file) => !useless.has(file));
}

function runs(file) {
  if (!file.startsWith("node_modules/")) return !USELESS.test(file);
  return LOADED.test(file) && !FOR_ITS_DEVELOPERS.test(`/${file}`);
}

async function writeZip(folder, files, target) {
  // A zip stores local times: with a fixed time zone the bytes are the same on every machine.
  process.env.TZ = "UTC";
  const options = { mtime: new Date("1980-01-01T00:00:00Z"), mode: 0o100644, forceDosTimestamp: true };
  const zip = new ZipFile();
  for (const file of files) zip.addBuffer(readFileSync(path.join(folder, file)), file, options);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(target));
}
