import type { Command } from "commander";
import { define } from "../define.ts";
import { asJson, downloadOne } from "../download.ts";
import { ExitCode } from "../failure.ts";
import type { Narrowing } from "../narrowing.ts";
import { write } from "../print.ts";
import { RESTORABLE, resolveRun } from "../resolve-run.ts";
import { withSession } from "../session.ts";
import { pathInRun } from "../values.ts";

export function addCat(program: Command): void {
  define<Narrowing>(
    program,
    {
      usage: "cat <run> <path>",
      description: "Print the content that a file had in a backup; of a link, its target.",
      examples: [
        "site-backup cat latest index.html",
        "site-backup cat latest~1 index.html | diff - wwwroot/index.html",
      ],
      json: ["content"],
    },
    [],
    async (options, run = "", path = "") =>
      await withSession(options, async (session) => {
        const id = await resolveRun(run, session, options, RESTORABLE);
        await downloadOne(session, id, pathInRun(path) ?? "", options.json ? asJson(path) : write);
        return ExitCode.done;
      }),
  );
}
