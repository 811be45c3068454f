import { Command } from "commander";
import { printable } from "../src/model/path.ts";
import { addBackup } from "./commands/backup.ts";
import { addCat } from "./commands/cat.ts";
import { addCompleteRuns } from "./commands/complete-runs.ts";
import { addCompletion } from "./commands/completion.ts";
import { addFiles } from "./commands/files.ts";
import { addGet } from "./commands/get.ts";
import { addLs } from "./commands/ls.ts";
import { addOpen } from "./commands/open.ts";
import { addPrune } from "./commands/prune.ts";
import { addRestore } from "./commands/restore.ts";
import { addRuns, addShow } from "./commands/runs.ts";
import { addStats } from "./commands/stats.ts";
import { addStorage } from "./commands/storage.ts";
import { addVerify } from "./commands/verify.ts";
import { addCancel, addWatch } from "./commands/watch.ts";
import { examplesText, exitCodesText, INTERRUPTED, SOME_FAILED } from "./define.ts";

/** The most used commands. */
const EXAMPLES = [
  "site-backup backup ./wwwroot",
  "site-backup runs",
  "site-backup restore latest --to ./restored",
];

/** The whole command line: what is parsed, completed, and described in the reference. Makes no request. */
export function createProgram(version: string): Command {
  const program = new Command("site-backup")
    .description("Backs up directory trees to Azure Blob Storage, and restores them.")
    .version(version)
    .showHelpAfterError("(--help says more)")
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`${text.trimEnd().split("\n").map(printable).join("\n")}\n`),
    })
    // Commander wraps nothing where less than 40 columns are left for what an option means.
    .configureHelp({ minWidthToWrap: 20 })
    .addHelpText(
      "after",
      `\n${examplesText(EXAMPLES)}\n\n${exitCodesText([SOME_FAILED, INTERRUPTED])}\n\n${environmentText()}`,
    );
  for (const add of [
    addBackup,
    addRestore,
    addVerify,
    addPrune,
    addRuns,
    addShow,
    addStats,
    addFiles,
    addLs,
    addCat,
    addGet,
    addWatch,
    addCancel,
    addOpen,
    addStorage,
    addCompletion,
    addCompleteRuns,
  ]) {
    add(program);
  }
  return program;
}

/** The environment variables that the command reads. */
export const ENVIRONMENT = {
  SITE_BACKUP_URL: "the app's address, like --url",
  SITE_BACKUP_KEY: "the app's function key, unless an option gives it",
  FUNCTIONS_PORT: "the local host's port (default: 7071)",
  LOCAL_HOST_STATE: "the local host's folder (default: .local beside the app)",
  BROWSER: "the browser that open starts (default: the system's)",
  NO_COLOR: "no colors, if set to anything",
} as const;

function environmentText(): string {
  const lines = Object.entries(ENVIRONMENT).map(([name, meaning]) => `  ${name.padEnd(16)}  ${meaning}`);
  return ["Environment:", ...lines].join("\n");
}
