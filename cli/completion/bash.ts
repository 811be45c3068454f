import type { CompletableCommand, Value } from "./completable.ts";

/** A completion script for bash 3.2 and later; needs no other package. */
export function bashCompletion(name: string, commands: readonly CompletableCommand[]): string {
  const functionName = `_${name.replaceAll("-", "_")}`;
  const values = Map.groupBy(
    commands.flatMap((command) =>
      command.options.flatMap(({ flag, value }) =>
        value ? [{ place: `${command.name},${flag}`, answer: answer(value) }] : [],
      ),
    ),
    (option) => option.answer,
  );
  const options = commands.map(
    ({ name: command, options: own }) =>
      `      ${command}) words="${own.map(({ flag }) => flag).join(" ")}" ;;`,
  );
  const places = commands.flatMap(({ name: command, argument }) =>
    argument && argument.kind !== "any" ? [`    ${command}) ${answer(argument)} ;;`] : [],
  );
  return `# bash completion for ${name}
${functionName}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}" command="" words="" i
  local IFS=$' \\t\\n'
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in -*) ;; *) command="\${COMP_WORDS[i]}"; break ;; esac
  done
  case "$command,$prev" in
${[...values].map(([what, places]) => `    ${places.map(({ place }) => place).join("|")}) ${what} ;;`).join("\n")}
  esac
  if [[ "$cur" == -* ]]; then
    case "$command" in
${options.join("\n")}
      "") words="--help --version" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case "$command" in
    "") COMPREPLY=($(compgen -W "${commands.map((command) => command.name).join(" ")}" -- "$cur")) ;;
${places.join("\n")}
  esac
}
${functionName}_directories() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -d -- "$cur"))
  compopt -o filenames 2>/dev/null
}
${functionName}_runs() {
  COMPREPLY=($(compgen -W "latest $(${name} complete-runs "$command" 2>/dev/null | cut -f 1)" -- "$cur"))
}
complete -F ${functionName} ${name}
`;

  function answer(value: Value): string {
    if (value.kind === "directory") return `${functionName}_directories; return`;
    if (value.kind === "run") return `${functionName}_runs; return`;
    if (value.kind === "any") return "return";
    return `COMPREPLY=($(compgen -W "${value.words.join(" ")}" -- "$cur")); return`;
  }
}
