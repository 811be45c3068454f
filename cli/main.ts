#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import { ExitCode, Failure, Interrupted } from "./failure.ts";
import { err, outJson } from "./print.ts";
import { createProgram } from "./program.ts";

/** This file runs as dist/cli/main.js. */
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // The reader has seen enough (| head), and nobody is left to tell.
    if (error.code === "EPIPE") process.exit(process.exitCode ?? ExitCode.done);
    if (stream === process.stdout) err(`The output cannot be written: ${error.message}.`);
    process.exit(ExitCode.failed);
  });
}

try {
  await createProgram(version).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else if (error instanceof Interrupted) process.exitCode = ExitCode.interrupted;
  else if (error instanceof Failure) {
    if (process.argv.includes("--json")) outJson({ type: "error", message: error.message });
    err(error.message);
    process.exitCode = ExitCode.failed;
  } else throw error;
}
