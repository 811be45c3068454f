import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Api, type RunStatus, type Started } from "./api.ts";
import { ExitCode, Failure } from "./failure.ts";
import { useLocalHost, type LocalHost } from "./local-host.ts";
import { createProgress } from "./progress.ts";
import { report } from "./report.ts";

/** What `backup` can be told. */
export interface BackupOptions {
  url?: string;
  key?: string;
  json?: boolean;
  quiet?: boolean;
  container?: string;
  prefix?: string;
  include?: string[];
  exclude?: string[];
  incremental?: boolean;
  checksum?: boolean;
}

/** How often the local host is asked how it goes; a deployment is asked every two seconds. */
const POLL_LOCAL_MS = 200;
const POLL_REMOTE_MS = 2_000;

/** Backs up a directory, follows it to its end, and gives the exit code. @throws Failure */
export async function backup(directory: string, options: BackupOptions): Promise<number> {
  const host = options.url === undefined ? await useLocalHost((line) => say(options, line)) : undefined;
  try {
    const api = new Api(options.url ?? host!.url, options.key);
    const begun = Date.now();
    const started = await api.startBackup(requestFor(directory, host !== undefined, options));
    const end = await follow(api, started, host, options);
    if (end === "interrupted") return interrupted(started, host);
    return report(end, Date.now() - begun, options);
  } finally {
    if (host?.own) await host.stop();
  }
}

/** The documentation's string body when nothing but the directory is said, the object otherwise. */
function requestFor(directory: string, local: boolean, options: BackupOptions): unknown {
  const { container, prefix, include, exclude, incremental, checksum } = options;
  // npm runs scripts in the package's directory; INIT_CWD is where the person stood.
  const root = local ? path.resolve(process.env["INIT_CWD"] ?? process.cwd(), directory) : directory;
  if (checksum && !incremental) throw new Failure("--checksum says how --incremental compares; give both.");
  const more = {
    container,
    prefix,
    include,
    exclude,
    checksum,
    ...(incremental ? { mode: "incremental" } : {}),
  };
  return Object.values(more).some((value) => value !== undefined) ? { root, ...more } : root;
}

async function follow(
  api: Api,
  { id, location }: Started,
  host: LocalHost | undefined,
  options: BackupOptions,
): Promise<RunStatus | "interrupted"> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.on("SIGINT", interrupt);
  const progress = createProgress(options);
  try {
    for (;;) {
      const status = await api.status(location);
      if (!["Pending", "Running", "Suspended"].includes(status.runtimeStatus)) return status;
      progress.update(status, await api.progress(id));
      await sleep(host ? POLL_LOCAL_MS : POLL_REMOTE_MS, undefined, { signal: interruption.signal }).catch(
        () => undefined,
      );
      if (interruption.signal.aborted) return "interrupted";
    }
  } finally {
    progress.close();
    process.off("SIGINT", interrupt);
  }
}

function interrupted({ id, terminate }: Started, host: LocalHost | undefined): number {
  const what = host?.own
    ? `The backup ${id} stands still, for its host ends now; it goes on when the local host runs again (npm start).`
    : `The backup ${id} goes on. To cancel it: curl -X POST '${withoutKey(terminate)}'`;
  process.stderr.write(`\nInterrupted. ${what}\n`);
  return ExitCode.interrupted;
}

/** The address without the host's key: what is on a terminal may be copied anywhere. */
function withoutKey(uri: string): string {
  const url = new URL(uri.replace("{text}", "canceled"));
  url.searchParams.delete("code");
  return url.href;
}

function say(options: BackupOptions, line: string): void {
  if (!options.quiet && !options.json) process.stderr.write(`${line}\n`);
}
