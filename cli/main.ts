#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { ExitCode } from "./failure.ts";
import { err } from "./print.ts";
import { createProgram } from "./program.ts";
import { runProgram } from "./run.ts";

/** This file runs as dist/cli/main.js. */
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // The reader has closed the pipe (| head).
    if (error.code === "EPIPE") process.exit(process.exitCode ?? ExitCode.done);
    if (stream === process.stdout) err(`The output cannot be written: ${error.message}.`);
    process.exit(ExitCode.failed);
  });
}

await runProgram(createProgram(version), process.argv.slice(2));
