import { Option } from "commander";

/** Which of a tree's files a command is about. */
export interface Patterns {
  include?: string[];
  exclude?: string[];
}

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
