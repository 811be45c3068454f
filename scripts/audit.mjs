// node scripts/audit.mjs [npm audit's options]: asks the npm registry for known vulnerabilities in the deployed
// packages. Exit code 1 if there are any. Some registries, such as mirrors, do not answer audits: then it says so and
// checks nothing.
import { spawnSync } from "node:child_process";

const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const args = ["audit", "--omit=dev", "--json", ...process.argv.slice(2)];
const { stdout, stderr, error } = spawnSync(npm, args, {
  encoding: "utf8",
  shell: process.platform === "win32",
});

const report = parse(stdout);
if (report?.metadata) {
  const { vulnerabilities, dependencies } = report.metadata;
  process.stdout.write(
    `${vulnerabilities.total} known vulnerabilities in ${dependencies.prod} packages that are deployed.\n`,
  );
  for (const { name, severity, range, via, fixAvailable } of Object.values(report.vulnerabilities)) {
    const [advisory] = via.filter((it) => typeof it === "object");
    const fix = fixAvailable ? "npm audit fix --omit=dev" : "none yet";
    process.stdout.write(`${severity}: ${name} ${range}: ${advisory?.url ?? via.join(", ")} (fix: ${fix})\n`);
  }
  if (vulnerabilities.total > 0) process.exitCode = 1;
} else {
  const why = report?.message ?? error?.message ?? stderr.trim().split("\n")[0];
  process.stdout.write(
    `SKIPPED, nothing was checked: the registry does not answer audits (${why}).\n` +
      "Run this where https://registry.npmjs.org can be reached: npm run audit -- --registry=https://registry.npmjs.org\n",
  );
}

/** npm's report or error; undefined if its output cannot be read. */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
