import type { Argument, Command, Option } from "commander";
import { definitionOf, EXIT_CODES, type Definition } from "../../cli/define.ts";
import { ExitCode } from "../../cli/failure.ts";
import { JSON_LINES } from "../../cli/json-lines.ts";
import { createProgram, ENVIRONMENT } from "../../cli/program.ts";
import { block, code, generated, plain, table } from "./markdown.ts";

/** docs/reference/cli.md: every command, its arguments, options, exit codes and --json lines. */
export function cliPage(): string {
  const program = createProgram("0");
  const commands = program.commands.flatMap((command) => {
    const definition = definitionOf(command);
    return definition ? [section(command, definition)] : [];
  });
  return `${generated("the commands in cli/")}

# Command line

\`site-backup\` talks to the app over HTTP, to the local host by default. In a clone it is \`npx site-backup …\`, which
installs and builds what is missing first; \`npm link\` makes it a command that works in every directory. (It is not
on the npm registry: outside the clone \`npx\` would look for it there.)

${commands.join("\n\n")}

## Naming a run

| What you type | Which run |
| --- | --- |
| \`1d0e432730114054a8168f3e14bea06b\`, \`1d0e4327\` | the run with this id, or the only one whose id begins like this |
| \`latest\` | the newest backup |
| \`latest~1\`, \`latest~2\` | the one before it, the one before that |
| \`"2026-11-23 18:00"\`, \`2026-11-23\` | the newest backup that began at or before this time |

\`latest\` and a time mean only backups that the command can use: for \`restore\` and \`verify\` good ones (completed, or with
some files failed, and not suspect); for \`show\` and \`files\` those that have ended; for \`cancel\` those that are running. If
these are of several directories, or in several destinations, the command lists them and asks for one; \`--root\`,
\`--container\` and \`--prefix\` name it.

## Environment

${table(
  ["Variable", "Meaning"],
  Object.entries(ENVIRONMENT).map(([name, meaning]) => [code(name), meaning]),
)}

An option wins over its variable.

## Exit codes

${table(
  ["Code", "Meaning"],
  Object.entries(EXIT_CODES).map(([number, meaning]) => [code(number), meaning]),
)}

## Output

Answers go to standard output; progress, warnings and errors to standard error. On a terminal progress is a bar; elsewhere it
is a line every five seconds when something has changed. \`--quiet\` leaves out progress and summaries.

## Lines of --json

With \`--json\` each line of standard output is an object with a \`type\`. Fields may be added; none is renamed or taken
away.

${Object.entries(JSON_LINES).map(jsonLine).join("\n\n")}
`;
}

function section(command: Command, { examples, notes, exits = [], json }: Definition): string {
  const codes = [ExitCode.done, ExitCode.failed, ...exits].map((exit) => code(String(exit)));
  const lines = json.map((type) => `[${code(type)}](#json-${type})`);
  return `## ${command.name()}

${plain(command.description())}

${block("sh", [`site-backup ${command.name()} ${command.usage()}`].join("\n"))}

${table(["Argument or option", "Meaning"], [...command.registeredArguments.map(argumentRow), ...optionsOf(command).map(optionRow)])}

${notes === undefined ? "" : `${block("text", notes)}\n\n`}${examples.length === 1 ? "Example" : "Examples"}:

${block("sh", examples.join("\n"))}

Exit codes: ${codes.join(", ")}. Lines of \`--json\`: ${lines.join(", ")}.`;
}

function optionsOf(command: Command): Option[] {
  return command.createHelp().visibleOptions(command);
}

function argumentRow(argument: Argument): string[] {
  const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
  return [code(name), `${plain(argument.description)}${choices(argument.argChoices)}`];
}

function optionRow(option: Option): string[] {
  const required = option.mandatory ? "; required" : "";
  const variable = option.envVar === undefined ? "" : ` (environment: ${code(option.envVar)})`;
  return [
    code(option.flags),
    `${plain(option.description)}${choices(option.argChoices)}${required}${variable}`,
  ];
}

function choices(words: readonly string[] | undefined): string {
  return words ? `: ${words.map(code).join(", ")}` : "";
}

function jsonLine([type, { when, fields }]: [
  string,
  { when: string; fields: Record<string, string> },
]): string {
  return `### <a id="json-${type}"></a>${code(type)}

${when}

${table(
  ["Field", "Meaning"],
  Object.entries(fields).map(([name, meaning]) => [code(name), meaning]),
)}`;
}
