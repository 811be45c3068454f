// node scripts/sbom.mjs: prints the bill of materials (SBOM, CycloneDX) of the deployed packages, from the lock file.
// `npm sbom --omit=dev` leaves out a package that both production and development need, so npm gets a manifest and a
// lock file without the development tools.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/** Returns JSON text. Throws an Error with what failed. */
export function billOfMaterials() {
  const { devDependencies: _, ...manifest } = readJson("package.json");
  const { packages, ...lock } = readJson("package-lock.json");
  const { devDependencies: __, ...self } = packages[""];
  const deployed = Object.entries(packages).filter(([name, { dev }]) => name !== "" && !dev);
  const work = mkdtempSync(path.join(tmpdir(), "sbom-"));
  // npm uses the folder's name as the app's.
  const folder = path.join(work, manifest.name);
  try {
    mkdirSync(folder);
    const write = (name, value) => writeFileSync(path.join(folder, name), JSON.stringify(value));
    write("package.json", manifest);
    write("package-lock.json", { ...lock, packages: { "": self, ...Object.fromEntries(deployed) } });
    return npmSbom(folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function readJson(name) {
  return JSON.parse(readFileSync(path.join(root, name), "utf8"));
}

function npmSbom(folder) {
  const windows = process.platform === "win32";
  const args = ["sbom", "--package-lock-only", "--sbom-format=cyclonedx"];
  const { status, error, stdout } = spawnSync(windows ? "npm.cmd" : "npm", args, {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    shell: windows,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error || status !== 0) {
    throw new Error(`npm ${args.join(" ")} failed (${error?.message ?? `exit code ${status}`}).`);
  }
  return stdout;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(billOfMaterials());
