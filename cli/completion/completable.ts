import type { Argument, Command, Option } from "commander";

/** What a place accepts: one of some words, a run, a directory, or anything. */
export type Value =
  { kind: "words"; words: readonly string[] } | { kind: "run" } | { kind: "directory" } | { kind: "any" };

export interface CompletableOption {
  /** Including its dashes. */
  flag: string;
  description: string;
  /** undefined if the option takes none. */
  value: Value | undefined;
  /** May be given more than once. */
  repeatable: boolean;
}

export interface CompletableCommand {
  name: string;
  description: string;
  argument: Value | undefined;
  options: CompletableOption[];
}

/** What a shell needs to complete a command line, taken from the parsed commands. */
export function completable(program: Command): CompletableCommand[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== "help")
    .map((command) => ({
      name: command.name(),
      description: command.description(),
      argument: command.registeredArguments[0] && valueOf(command.registeredArguments[0]),
      options: command
        .createHelp()
        .visibleOptions(command)
        .map((option) => ({
          flag: option.long ?? "",
          description: option.description,
          value: option.required || option.optional ? valueOf(option) : undefined,
          repeatable: option.parseArg !== undefined,
        })),
    }));
}

function valueOf(of: Argument | Option): Value {
  if (of.argChoices) return { kind: "words", words: of.argChoices };
  if (!("flags" in of) && of.name() === "run") return { kind: "run" };
  const isDirectory = "flags" in of ? of.flags.endsWith("<dir>") : of.name() === "dir";
  return { kind: isDirectory ? "directory" : "any" };
}
