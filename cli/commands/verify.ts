import { Option, type Command } from "commander";
import { printable } from "../../src/model/path.ts";
import { define, INTERRUPTED } from "../define.ts";
import { Failure } from "../failure.ts";
import type { Narrowing } from "../narrowing.ts";
import { reportEnd } from "../report.ts";
import { RESTORABLE, resolveRun } from "../resolve-run.ts";
import { runToEnd } from "../run-to-end.ts";
import { withSession } from "../session.ts";

interface VerifyOptions extends Narrowing {
  readData?: string | true;
}

export function addVerify(program: Command): void {
  define<VerifyOptions>(
    program,
    {
      usage: "verify <run>",
      description: "Check that all files of a backup are still there, with the content that was recorded.",
      examples: [
        "site-backup verify latest",
        "site-backup verify 1d0e432730114054a8168f3e14bea06b --read-data 5%",
      ],
      exits: [INTERRUPTED],
      json: ["started", "progress", "end"],
    },
    [new Option("--read-data [share]", "read the contents back and hash them: all, or a share such as 5%")],
    async (options, run = "") => await verify(run, options),
  );
}

async function verify(run: string, options: VerifyOptions): Promise<number> {
  const { readData } = options;
  if (typeof readData === "string" && !/^\d+(\.\d+)?%$/.test(readData))
    throw new Failure(
      `--read-data takes a share such as 5%, or nothing for all, not "${printable(readData)}".`,
    );
  return await withSession(options, async (session) => {
    const of = await resolveRun(run, session, options, RESTORABLE);
    const body = { run: of, ...(readData === undefined ? {} : { readData }) };
    const start = { orchestrator: "verifyBackup", body, kind: "verify", begun: `Verifying ${of}` };
    return await runToEnd(start, session, options, (ended, { output }) =>
      reportEnd(ended, output, session.api, options),
    );
  });
}
