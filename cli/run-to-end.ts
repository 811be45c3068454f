import type { Run, Status } from "../client/answers.ts";
import { Unreachable } from "./api.ts";
import { COMMAND } from "./command-name.ts";
import { ExitCode, Failure, Interrupted } from "./failure.ts";
import { follow } from "./follow.ts";
import type { LocalHost } from "./host.ts";
import type { Lease } from "./lease.ts";
import { err, outJson } from "./print.ts";
import type { CommonOptions, Session } from "./session.ts";

/** What to start, and how to describe it. */
interface Start {
  orchestrator: string;
  body: unknown;
  kind: string;
  /** What the run is about, if known before it begins. */
  root?: string;
  /** Backing up /home/me/site */
  begun: string;
}

/**
 * Starts a run, follows it to its end and reports that. Ctrl-C leaves the run alone and says how to come back to it.
 * @returns the exit code
 */
export async function runToEnd(
  { orchestrator, body, kind, root, begun }: Start,
  session: Session,
  options: CommonOptions,
  report: (run: Run, status: Status) => Promise<number>,
): Promise<number> {
  const { api, host } = session;
  const { id, location } = await api.start(orchestrator, body);
  if (options.json) outJson({ type: "started", run: id, kind, ...(root === undefined ? {} : { root }) });
  else if (!options.quiet) err(begun);
  try {
    const status = await follow(id, session, options, () => endOf(location, session));
    return await report(await ended(id, status, session), status);
  } catch (error) {
    return leave(error, kind, id, host, options);
  }
}

/**
 * Ends a command whose run continues without it, and says how to come back to it.
 * @returns the exit code of Ctrl-C
 * @throws Failure if the app was lost, and any other error as it is
 */
export function leave(
  error: unknown,
  kind: string,
  id: string,
  host: LocalHost | undefined,
  options: CommonOptions,
): number {
  const run = `${kind} ${id}`;
  const back = howToComeBack(id, options);
  if (error instanceof Unreachable) {
    const state = host?.lease?.isLost()
      ? `The ${run} is paused until a local host runs again.`
      : `If the app still runs, so does the ${run}.`;
    throw new Failure(`${error.message}\n${state}\n${back}`, { cause: error });
  }
  if (!(error instanceof Interrupted)) throw error;
  err(`Interrupted. The ${run} ${whatBecomesOfIt(host?.lease)}.\n${back}`);
  return ExitCode.interrupted;
}

async function endOf(location: string, { api }: Session): Promise<Status | undefined> {
  const status = await api.status(location);
  return status && !["Pending", "Running", "Suspended"].includes(status.runtimeStatus) ? status : undefined;
}

/** The run's record; if its ledger could not be written, what the Durable status says. */
async function ended(id: string, { runtimeStatus, output }: Status, { api }: Session): Promise<Run> {
  try {
    return await api.run(id);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const said = typeof output === "string" && output !== "" ? output : error.message;
    throw new Failure(runtimeStatus === "Completed" ? error.message : said, { cause: error });
  }
}

/** What happens to a run whose command ends. */
function whatBecomesOfIt(lease: Lease | undefined): string {
  if (!lease) return "continues in the app";
  return lease.isLast()
    ? "is paused: its host ends with this command"
    : "continues as long as another command uses the local host";
}

function howToComeBack(id: string, { url }: CommonOptions): string {
  const to = url === undefined ? "" : ` --url ${url}`;
  return `  To watch it:  ${COMMAND} watch ${id}${to}\n  To cancel it: ${COMMAND} cancel ${id}${to}`;
}
