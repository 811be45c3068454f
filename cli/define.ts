import { Option, type Argument, type Command } from "commander";
import { ExitCode, Failure } from "./failure.ts";
import type { JsonType } from "./json-lines.ts";
import { narrowingOptions } from "./narrowing.ts";
import type { CommonOptions } from "./session.ts";

/** What documentation, `--help` and completion say about a command, besides its arguments and options. */
export interface Definition {
  usage: string;
  description: string;
  /** Working command lines, simplest first. */
  examples: readonly [string, ...string[]];
  /** What else to know before running it. */
  notes?: string;
  /** Exit codes other than 0 and 1. */
  exits?: readonly (typeof SOME_FAILED | typeof INTERRUPTED)[];
  /** It does not talk to an app. */
  local?: true;
  /** The types of its --json lines, in order. */
  json: readonly JsonType[];
}

export const SOME_FAILED = ExitCode.someFilesFailed;
export const INTERRUPTED = ExitCode.interrupted;

/** The meanings of the exit codes, the same as restic's. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  [ExitCode.done]: "done",
  [ExitCode.failed]: "failed; standard error says why",
  [ExitCode.someFilesFailed]:
    "some files failed and the others are done; or the backup is suspect: it found far fewer files than the last one",
  [ExitCode.interrupted]: "interrupted (Ctrl-C); standard error says what happens to the run",
};

/** The meanings of the arguments. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  path: "the path of a file or directory in the backup, as ls shows it",
  dir: "the directory; with --url, its path on the app's machine",
  run: 'the run: its id, or the first characters of it (at least four); "latest", or "latest~1" for the one before it; or a time such as "2026-11-23 18:00", for the newest that began at or before it',
};

const definitions = new WeakMap<Command, Definition>();

/** What is known about a command; undefined for those that commander adds itself. */
export function definitionOf(command: Command): Definition | undefined {
  return definitions.get(command);
}

/**
 * Adds a command with the options that all commands have, and those that narrow which run is meant if it takes a run.
 * @param act does the work and returns the exit code; may throw Failure
 */
export function define<T extends CommonOptions>(
  program: Command,
  definition: Definition,
  options: readonly Option[],
  act: (options: T, ...args: (string | undefined)[]) => Promise<number>,
  args: readonly Argument[] = [],
): void {
  const { usage, description, examples, notes, exits = [], local } = definition;
  const command = program.command(usage).description(description);
  for (const argument of command.registeredArguments) argument.description = ARGUMENTS[argument.name()] ?? "";
  for (const argument of args) command.addArgument(argument);
  const takesRun = command.registeredArguments.some((argument) => argument.name() === "run");
  const narrowing = takesRun ? narrowingOptions('with "latest" or a time: only runs') : [];
  for (const option of [...options, ...narrowing, ...(local ? [] : appOptions()), ...outputOptions()])
    command.addOption(option);
  const help = [...(notes === undefined ? [] : [notes]), examplesText(examples), exitCodesText(exits)];
  command.addHelpText("after", `\n${help.join("\n\n")}`);
  command.action(async () => {
    refuseBlank(command);
    process.exitCode = await act(command.opts<T>(), ...(command.processedArgs as (string | undefined)[]));
  });
  definitions.set(command, definition);
}

function appOptions(): Option[] {
  return [
    new Option(
      "--url <url>",
      "the app's address (default: the local host, started if it is not running)",
    ).env("SITE_BACKUP_URL"),
    new Option(
      "--key <key>",
      "the app's function key; on the command line every user of the machine can see it",
    ),
    new Option(
      "--key-file <file>",
      "a file with the function key; - for standard input (or set SITE_BACKUP_KEY)",
    ),
  ];
}

function outputOptions(): Option[] {
  return [
    new Option("--json", "print JSON, one object per line"),
    new Option("--quiet", "no progress and no summary"),
  ];
}

/** The meanings of placeholders. */
const EXPECTED: Readonly<Record<string, string>> = {
  dir: "the path of a directory",
  file: "the path of a file",
  run: 'a run\'s id or "latest"',
  n: "a number",
  path: "a path in the backup",
};

/**
 * Refuses an empty value, which usually comes from an unset variable: as a path it would mean the current directory,
 * as a prefix the whole container.
 * @throws Failure
 */
function refuseBlank(command: Command): void {
  const given = [
    ...command.registeredArguments.map((argument, index) => ({
      what: argument.name(),
      flag: `<${argument.name()}>`,
      value: command.processedArgs[index] as unknown,
    })),
    ...command.options.map((option) => ({
      what: /<(.*)>/.exec(option.flags)?.[1] ?? "",
      flag: command.getOptionValueSource(option.attributeName()) === "env" ? option.envVar : option.long,
      value: command.getOptionValue(option.attributeName()) as unknown,
    })),
  ];
  for (const { what, flag, value } of given) {
    if (![value].flat().some((text) => typeof text === "string" && text.trim() === "")) continue;
    throw new Failure(`${flag} is empty: expected ${EXPECTED[what] ?? `<${what}>`}. Is a variable not set?`);
  }
}

export function examplesText(examples: readonly string[]): string {
  return [examples.length === 1 ? "Example:" : "Examples:", ...examples.map((line) => `  ${line}`)].join(
    "\n",
  );
}

export function exitCodesText(exits: readonly number[]): string {
  const codes = [ExitCode.done, ExitCode.failed, ...exits];
  return ["Exit codes:", ...codes.map((code) => `  ${String(code).padEnd(4)} ${EXIT_CODES[code]}`)].join(
    "\n",
  );
}
