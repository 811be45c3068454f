#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { backup, type BackupOptions } from "./commands/backup.ts";
import { cancel, files, runs, show, watch, type FilesOptions, type RunsOptions } from "./commands/records.ts";
import { ExitCode, Failure, Interrupted } from "./failure.ts";
import { err, outJson } from "./print.ts";
import type { CommonOptions } from "./session.ts";

/** This file is dist/cli/main.js when it runs. */
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed
  3    some files could not be backed up; all others are
  130  interrupted; the backup goes on where the app runs`;

const JSON_LINES = `
With --json, each line is an object with a "type":
  started   run, root
  progress  run, listed and settled {files, bytes}, counts, bytesPerSecond, secondsLeft
  run, end  run, kind, root, destination {container, prefix, url}, mode, status, started, finished,
            counts {copied, unchanged, vanished, skipped, failed, …}, bytes, message; end also exitCode, output
  file      path, outcome, kind, size, mtime, mode, md5, reason
  error     message`;

const program = new Command("site-backup")
  .description("Backs up directory trees to Azure Blob Storage, through a site-backup function app.")
  .version(version)
  .showHelpAfterError("(--help says more)")
  .configureHelp({ showGlobalOptions: true })
  .exitOverride()
  .addHelpText("after", `${EXIT_CODES}\n${JSON_LINES}`);

/** A command with the options that all have. */
function command(usage: string, description: string, example: string): Command {
  return (
    program
      .command(usage)
      .description(description)
      .addOption(
        new Option("--url <url>", "the app; without it the local host, started when none runs").env(
          "SITE_BACKUP_URL",
        ),
      )
      // An environment variable shows in no list of processes.
      .addOption(new Option("--key <key>", "the app's function key (env: SITE_BACKUP_KEY)"))
      .option("--json", "an object a line instead of words")
      .option("--quiet", "errors only")
      .addHelpText("after", `${EXIT_CODES}\n\nExample:\n  ${example}`)
  );
}

/** What the command line said, with the key from the environment where it did not. */
function optionsOf<T extends CommonOptions>(of: Command): T {
  const key = process.env["SITE_BACKUP_KEY"];
  return { ...(key ? { key } : {}), ...of.opts<T>() };
}

command(
  "backup <dir>",
  "Back up a directory, and follow it to its end.",
  "site-backup backup ./wwwroot --exclude node_modules '*.log' --incremental",
)
  .option("--container <name>", 'the container that the blobs go to (default: "backups")')
  .option("--prefix <folder>", "a folder in the container")
  .option("--include <pattern...>", "only what matches")
  .option("--exclude <pattern...>", "nothing that matches")
  .addOption(new Option("--mode <mode>", "what is copied").choices(["full", "incremental"]))
  .option("--incremental", "the same as --mode incremental: only files whose size or time of change differs")
  .option("--checksum", "with --incremental: compare contents")
  .option("--no-history", "do not keep what is overwritten")
  .action(async (directory: string, _options: unknown, of: Command) => {
    const options = optionsOf<BackupOptions>(of);
    if (of.getOptionValueSource("history") === "default") delete options.history;
    process.exitCode = await backup(directory, options);
  });

command("runs", "List runs, newest first.", "site-backup runs --status failed --since 2026-11-01")
  .addOption(new Option("--kind <kind>", "what they do").choices(["backup", "restore", "verify", "all"]))
  .addOption(
    new Option("--status <status>", "how they stand").choices(["running", "completed", "failed", "canceled"]),
  )
  .option("--root <dir>", "only of this directory")
  .option("--container <name>", "only to this container")
  .option("--since <time>", "started then or later")
  .option("--until <time>", "started then or earlier")
  .option("--limit <n>", "the most runs (default: 20)")
  .action(async (_options: unknown, of: Command) => {
    process.exitCode = await runs(optionsOf<RunsOptions>(of));
  });

command("show <run>", "Show one run.", "site-backup show 1d0e432730114054a8168f3e14bea06b").action(
  async (run: string, _options: unknown, of: Command) => {
    process.exitCode = await show(run, optionsOf(of));
  },
);

command(
  "files <run>",
  "List what became of a run's files.",
  "site-backup files 1d0e432730114054a8168f3e14bea06b --failed",
)
  .option("--failed", "only those that failed, with the reason")
  .addOption(
    new Option("--outcome <outcome>", "only those with this outcome").choices([
      "copied",
      "unchanged",
      "vanished",
      "skipped",
      "failed",
    ]),
  )
  .option("--prefix <path>", "only those whose path begins so")
  .option("--limit <n>", "the most files (default: all)")
  .action(async (run: string, _options: unknown, of: Command) => {
    process.exitCode = await files(run, optionsOf<FilesOptions>(of));
  });

command(
  "watch <run>",
  "Follow a run to its end.",
  "site-backup watch 1d0e432730114054a8168f3e14bea06b --url https://my-app.azurewebsites.net",
).action(async (run: string, _options: unknown, of: Command) => {
  process.exitCode = await watch(run, optionsOf(of));
});

command(
  "cancel <run>",
  "Stop a run; what is copied stays.",
  "site-backup cancel 1d0e432730114054a8168f3e14bea06b",
).action(async (run: string, _options: unknown, of: Command) => {
  process.exitCode = await cancel(run, optionsOf(of));
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else if (error instanceof Interrupted) process.exitCode = ExitCode.interrupted;
  else if (error instanceof Failure) {
    if (process.argv.includes("--json")) outJson({ type: "error", message: error.message });
    err(error.message);
    process.exitCode = ExitCode.failed;
  } else throw error;
}
