import { Option } from "commander";
import { PATTERN_SYNTAX } from "../client/pattern-syntax.ts";

/** Which of a tree's files a command is about. */
export interface Patterns {
  include?: string[];
  exclude?: string[];
}

/** How patterns are written, for `--help`. */
export const PATTERN_HELP = [
  "Patterns, as in .gitignore:",
  ...PATTERN_SYNTAX.map(([pattern, meaning]) => `  ${pattern.padEnd(18)}${meaning}`),
  "Quote them, or the shell expands them. Give an option for each.",
].join("\n");

export function patternOptions(): Option[] {
  return [
    several("--include <pattern>", "only what matches"),
    several("--exclude <pattern>", "nothing that matches"),
  ];
}

/** An option that may be given several times, as restic's may: one that takes several words would swallow arguments. */
function several(flags: string, description: string): Option {
  return new Option(flags, `${description}; may be repeated`).argParser(
    (value: string, before: string[] | undefined) => [...(before ?? []), value],
  );
}
