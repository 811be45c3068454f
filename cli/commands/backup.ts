import path from "node:path";
import type { Run, Status } from "../answers.ts";
import { ExitCode, Failure, Interrupted } from "../failure.ts";
import { follow } from "../follow.ts";
import { PACKAGE } from "../host.ts";
import { err, name, outJson } from "../print.ts";
import { reportEnd } from "../report.ts";
import { isLoopback, withSession, type CommonOptions, type Session } from "../session.ts";

/** What `backup` can be told. */
export interface BackupOptions extends CommonOptions {
  container?: string;
  prefix?: string;
  include?: string[];
  exclude?: string[];
  mode?: string;
  incremental?: boolean;
  checksum?: boolean;
  history?: boolean;
}

/** Backs up a directory, follows it to its end, and gives the exit code. @throws Failure */
export async function backup(directory: string, options: BackupOptions): Promise<number> {
  const body = requestFor(directory, options);
  return await withSession(options, async (session) => {
    const { api, host } = session;
    const { id, location } = await api.startBackup(body);
    const root = typeof body === "string" ? body : body.root;
    if (options.json) outJson({ type: "started", run: id, root });
    else if (!options.quiet) err(`Backing up ${name(root)}`);
    try {
      const status = await follow(id, session, options, () => endOf(location, session));
      const run = await ended(id, status, session);
      return await reportEnd(run, status.output, api, options);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      err(interrupted(id, host?.own === true, options));
      return ExitCode.interrupted;
    }
  });
}

/** The documentation's string body when nothing but the directory is said, the object otherwise. */
function requestFor(directory: string, options: BackupOptions): string | { root: string } {
  const { container, prefix, include, exclude, checksum, incremental, mode, history } = options;
  const root = options.url === undefined || isLoopback(options.url) ? absolute(directory) : directory;
  const chosen = incremental ? "incremental" : mode;
  if (checksum && chosen !== "incremental") {
    throw new Failure("--checksum says how --incremental compares; give both.");
  }
  const more = {
    container,
    prefix,
    include,
    exclude,
    mode: chosen,
    checksum,
    ...(history === false ? { keepVersions: false } : {}),
  };
  return Object.values(more).some((value) => value !== undefined) ? { root, ...more } : root;
}

/** npm runs scripts in the package's directory; INIT_CWD is where the person stood. */
function absolute(directory: string): string {
  const here = process.cwd();
  return path.resolve(here === PACKAGE ? (process.env["INIT_CWD"] ?? here) : here, directory);
}

async function endOf(location: string, { api }: Session): Promise<Status | undefined> {
  const status = await api.status(location);
  return status && !["Pending", "Running", "Suspended"].includes(status.runtimeStatus) ? status : undefined;
}

/** The run's record; where its ledger could not be written, what the Durable status says. */
async function ended(id: string, { runtimeStatus, output }: Status, { api }: Session): Promise<Run> {
  try {
    return await api.run(id);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const said = typeof output === "string" && output !== "" ? output : error.message;
    throw new Failure(runtimeStatus === "Completed" ? error.message : said, { cause: error });
  }
}

function interrupted(id: string, own: boolean, { url }: BackupOptions): string {
  const to = url === undefined ? "" : ` --url ${url}`;
  const goesOn = own
    ? `The backup ${id} stands still, for its host ends with this command.\n  It goes on when the local host starts again: npm start`
    : `The backup ${id} goes on.\n  To watch it:  npx site-backup watch ${id}${to}`;
  return `Interrupted. ${goesOn}\n  To cancel it: npx site-backup cancel ${id}${to}`;
}
