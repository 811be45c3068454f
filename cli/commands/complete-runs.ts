import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { moment, subjectOf } from "../../client/words.ts";
import { Api } from "../api.ts";
import { functionKey } from "../function-key.ts";
import { localUrl } from "../host.ts";
import { SHORT_ID } from "../resolve-run.ts";

/** The longest that completion may take. */
const PATIENCE_MS = 1_500;
const MOST = "50";
/** The commands that take runs of any kind; the others take backups. */
const ALL_KINDS = ["show", "files", "watch", "cancel"];

/** A hidden command for the completion scripts: a line for each run that another command may mean. It starts no host. */
export function addCompleteRuns(program: Command): void {
  program.command("complete-runs <command>", { hidden: true }).action(async (command: string) => {
    const kind = ALL_KINDS.includes(command) ? "all" : "backup";
    const lines = await Promise.race([runsOf(kind).catch(() => []), sleep(PATIENCE_MS, [])]);
    process.stdout.write(lines.map((line) => `${line}\n`).join(""), () => process.exit());
  });
}

/** A run's id and what it is, with a tab between. */
async function runsOf(kind: string): Promise<string[]> {
  const api = new Api(process.env["SITE_BACKUP_URL"] ?? localUrl().url, { key: functionKey({}) });
  const { items } = await api.runs({ kind, limit: MOST });
  return (
    items
      // A shell would take other characters for its own.
      .filter(({ id }) => /^[\w-]+$/.test(id))
      .map((run) => {
        const id = /^[0-9a-f]{32}$/.test(run.id) ? run.id.slice(0, SHORT_ID) : run.id;
        return `${id}\t${moment(run.started).slice(0, 16)} ${kind === "all" ? `${run.kind} of ` : ""}${subjectOf(run)}`;
      })
  );
}
