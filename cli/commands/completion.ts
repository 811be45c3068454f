import { Argument, type Command } from "commander";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { completable } from "../completion/completable.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { define } from "../define.ts";
import { ExitCode } from "../failure.ts";
import { out, outJson } from "../print.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** The scripts contain all words but run ids, for which they ask a running app. They execute nothing that is typed. */
export function addCompletion(program: Command): void {
  define(
    program,
    {
      usage: "completion",
      description: "Print a script that completes commands, options, runs and directories in a shell.",
      examples: [
        "source <(site-backup completion bash)                                  # in ~/.bashrc",
        "site-backup completion zsh > ~/.zsh/completions/_site-backup            # a folder of fpath",
        "site-backup completion fish > ~/.config/fish/completions/site-backup.fish",
      ],
      local: true,
      json: ["completion"],
    },
    [],
    (options, shell = "bash") => {
      const script = SHELLS[shell as keyof typeof SHELLS](program.name(), completable(program));
      if (options.json) outJson({ type: "completion", shell, script });
      else out(script.trimEnd());
      return Promise.resolve(ExitCode.done);
    },
    [new Argument("<shell>", "the shell").choices(Object.keys(SHELLS))],
  );
}
