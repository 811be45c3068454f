import type { CompletableCommand, CompletableOption, Value } from "./completable.ts";

/** A completion script for zsh, to be sourced or put in fpath. */
export function zshCompletion(name: string, commands: readonly CompletableCommand[]): string {
  const functionName = `_${name.replaceAll("-", "_")}`;
  const known = commands.map(
    (command) => `    ${quoted(`${escaped(command.name)}:${escaped(command.description)}`)}`,
  );
  return `#compdef ${name}
${functionName}_runs() {
  local -a runs
  runs=(latest \${\${(f)"$(${name} complete-runs $1 2>/dev/null)"}/$'\\t'/:})
  _describe run runs
}
${functionName}() {
  local -a commands
  commands=(
${known.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${commands.map((command) => ofCommand(command, functionName)).join("\n")}
  esac
}
if [[ $funcstack[1] == ${functionName} ]]; then
  ${functionName} "$@"
else
  compdef ${functionName} ${name}
fi
`;
}

function ofCommand({ name, argument, options }: CompletableCommand, functionName: string): string {
  const specs = options.map(optionSpec);
  if (argument)
    specs.push(
      `1:${escaped(name)}:${argument.kind === "run" ? ` ${functionName}_runs ${name}` : action(argument)}`,
    );
  return `    ${name})\n      _arguments \\\n${specs.map((spec) => `        ${quoted(spec)}`).join(" \\\n")}\n      ;;`;
}

function optionSpec({ flag, description, value, repeatable }: CompletableOption): string {
  const described = `${repeatable ? "*" : ""}${flag}[${escaped(description)}]`;
  return value ? `${described}:${flag.slice(2)}:${action(value)}` : described;
}

function action(value: Value): string {
  if (value.kind === "directory") return "_files -/";
  return value.kind === "words" ? `(${value.words.join(" ")})` : "";
}

/** Escapes the characters that separate parts of a specification. */
function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
