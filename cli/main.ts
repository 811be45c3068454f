#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import { ExitCode, Failure, Interrupted } from "./failure.ts";
import { err, message, outJson } from "./print.ts";
import { createProgram } from "./program.ts";

/** This file is dist/cli/main.js when it runs. */
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

// Whoever read the output has seen enough (| head): nobody is left to tell anything.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(process.exitCode ?? ExitCode.done);
  });
}

try {
  await createProgram(version).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else if (error instanceof Interrupted) process.exitCode = ExitCode.interrupted;
  else if (error instanceof Failure) {
    if (process.argv.includes("--json")) outJson({ type: "error", message: error.message });
    err(message(error.message));
    process.exitCode = ExitCode.failed;
  } else throw error;
}
