// node scripts/run.mjs FILE [ARG …]: sets up the clone, then runs FILE on the project's own Node, from the
// caller's directory, with its signals and exit code passed through.
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { nodeOptions } from "./node-options.mjs";
import { nodeBinary, setup } from "./setup.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const [file, ...args] = process.argv.slice(2);

try {
  setup();
} catch (error) {
  process.stderr.write(`Set-up failed: ${error.message}\n`);
  process.exit(1);
}

const options = file === "dist/local/main.js" ? nodeOptions(process.env) : [];
const child = spawn(nodeBinary, [...options, path.join(root, file), ...args], { stdio: "inherit" });
// The terminal sends Ctrl-C to the child as well. The child decides how to end; this process only waits for it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => signal !== "SIGINT" && child.kill(signal));
}
child.on("exit", (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else {
    process.exit(code ?? 1);
  }
});
