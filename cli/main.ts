#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { backup, type BackupOptions } from "./backup.ts";
import { ExitCode, Failure } from "./failure.ts";

/** This file is dist/cli/main.js when it runs. */
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("site-backup")
  .description("Backs up directory trees to Azure Blob Storage, through a site-backup function app.")
  .version(version)
  .showHelpAfterError("(--help says more)")
  .configureHelp({ showGlobalOptions: true })
  .addOption(
    new Option(
      "--url <url>",
      "the app to talk to; without it the local host, which is started when none runs",
    ).env("SITE_BACKUP_URL"),
  )
  .addOption(new Option("--key <key>", "the app's function key").env("SITE_BACKUP_KEY"))
  .option("--json", "one JSON object a line instead of words")
  .option("--quiet", "only errors and the end")
  .addHelpText(
    "after",
    `
Exit codes:
  0    done
  1    failed
  3    some files could not be read; the others are backed up
  130  interrupted; on an app that was running already the backup goes on`,
  );

program
  .command("backup")
  .description("back up a directory and follow it to its end")
  .argument("<dir>", "the directory, on the machine that the app runs on")
  .option("--container <name>", 'the container that the blobs go to (default: "backups")')
  .option("--prefix <folder>", "a folder in the container")
  .option("--include <pattern...>", "only what matches")
  .option("--exclude <pattern...>", "nothing that matches")
  .option("--incremental", "only files whose size or time of change differs from the blob's")
  .option("--checksum", "with --incremental: compare contents")
  .addHelpText(
    "after",
    "\nExample:\n  site-backup backup ./wwwroot --exclude node_modules '*.log' --incremental",
  )
  .action(async (directory: string, _options: unknown, command: Command) => {
    process.exitCode = await backup(directory, command.optsWithGlobals<BackupOptions>());
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = ExitCode.failed;
}
