import type { Command } from "commander";
import type { Run } from "../../client/answers.ts";
import { define, INTERRUPTED, SOME_FAILED } from "../define.ts";
import { ExitCode } from "../failure.ts";
import { follow } from "../follow.ts";
import { kindOf } from "../kinds.ts";
import type { Narrowing } from "../narrowing.ts";
import { err, out, outJson } from "../print.ts";
import { exitCodeOf, recordOf, reportEnd, summary } from "../report.ts";
import { ANY, resolveRun, RUNNING } from "../resolve-run.ts";
import { leave } from "../run-to-end.ts";
import { withSession } from "../session.ts";
import { subjectOf } from "../../client/words.ts";

export function addWatch(program: Command): void {
  define(
    program,
    {
      usage: "watch <run>",
      description: "Follow a run to its end.",
      examples: [
        "site-backup watch latest",
        "site-backup watch 1d0e432730114054a8168f3e14bea06b --url https://my-app.azurewebsites.net",
      ],
      exits: [SOME_FAILED, INTERRUPTED],
      json: ["progress", "end"],
    },
    [],
    async (options, run = "") => await watch(run, options),
  );
}

export function addCancel(program: Command): void {
  define(
    program,
    {
      usage: "cancel <run>",
      description: "Stop a run. What it has done so far stays.",
      examples: ["site-backup cancel 1d0e432730114054a8168f3e14bea06b"],
      json: ["run"],
    },
    [],
    async (options, run = "") => await cancel(run, options),
  );
}

async function watch(run: string, options: Narrowing): Promise<number> {
  return await withSession(options, async (session) => {
    const { api, host } = session;
    const id = await resolveRun(run, session, options, ANY);
    // Fails if there is no such run.
    const now = await api.run(id);
    if (now.status === "running" && !options.json && !options.quiet) err(begun(now));
    try {
      const ended = await follow(id, session, options, (current) =>
        Promise.resolve(current && current.status !== "running" ? current : undefined),
      );
      if (options.json) {
        const code = exitCodeOf(ended);
        outJson({ type: "end", exitCode: code, ...recordOf(ended) });
        return code;
      }
      return await reportEnd(ended, outputOf(ended), api, options);
    } catch (error) {
      return leave(error, now.kind, id, host, options);
    }
  });
}

/** The output that follows from the record. */
function outputOf(run: Run): number | undefined {
  return kindOf(run).output === "files" ? run.counts?.unchanged : run.bytes;
}

function begun(run: Run): string {
  const { of, root, kind } = run;
  if (kind === "restore") return `Restoring ${of ?? ""} into ${root}`;
  return `${kindOf(run).doing} ${of ?? subjectOf(run)}`;
}

async function cancel(typed: string, options: Narrowing): Promise<number> {
  return await withSession(options, async (session) => {
    const run = await session.api.cancel(await resolveRun(typed, session, options, RUNNING));
    if (options.json) outJson({ type: "run", ...recordOf(run) });
    else if (!options.quiet) {
      out(`Canceled ${run.id}. What was ${kindOf(run).copied} stays.`);
      for (const line of summary(run)) out(line);
    }
    return ExitCode.done;
  });
}
