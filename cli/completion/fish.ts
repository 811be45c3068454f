import type { CompletableCommand, Value } from "./completable.ts";

/** A completion script for fish. */
export function fishCompletion(name: string, commands: readonly CompletableCommand[]): string {
  const lines = [`# fish completion for ${name}`, `complete -c ${name} -f`];
  for (const command of commands) {
    const here = `complete -c ${name} -n '__fish_seen_subcommand_from ${command.name}'`;
    lines.push(
      `complete -c ${name} -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.description)}`,
    );
    if (command.argument?.kind === "run")
      lines.push(`${here} -a 'latest (${name} complete-runs ${command.name} 2>/dev/null)'`);
    else if (command.argument) lines.push(...values(command.argument).map((value) => `${here}${value}`));
    for (const { flag, description, value } of command.options) {
      const takes = value ? ` -x${values(value).join("")}` : "";
      lines.push(`${here} -l ${flag.slice(2)}${takes} -d ${quoted(description)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function values(value: Value): string[] {
  if (value.kind === "directory") return [" -a '(__fish_complete_directories)'"];
  return value.kind === "words" ? [` -a '${value.words.join(" ")}'`] : [];
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
