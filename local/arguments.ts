/** The command line: npm start -- [options]. */
import path from "node:path";
import { parseArgs } from "node:util";
import { BLOB_PORT } from "./storage/own-account.ts";
import { StartUpError, messageOf } from "./start-up-error.ts";

export const HELP = `Usage: npm start -- [options]

Runs the function app on this machine, with nothing else installed: HTTP, timer and durable functions, and
an Azurite of its own for settings that are UseDevelopmentStorage=true. It stays up until Ctrl-C.

Options:
  --port N           the port to listen on, on 127.0.0.1 (0: a free one; default FUNCTIONS_PORT, or Host.LocalHttpPort in
                     local.settings.json, or 7071)
  --state DIR        durable state, Azurite's data and logs (default .local in the app's folder, or LOCAL_HOST_STATE)
  --app DIR          the function app's folder, with host.json and package.json (default the current one)
  --azurite-port N   Azurite's blob port (default ${BLOB_PORT}, or AZURITE_BLOB_PORT)
  --ready-file PATH  writes {"url","pid","storage"} there, as JSON, once functions can be called; storage is the
                     connection string of its own Azurite, where it has started that
  --while-used       ends when the process that started it has gone, and no client holds GET /admin/host/lease
  --activity-ms N    begins activities N milliseconds apart, for measuring: the real engine takes 20 to 25 for each
  --verbose          logs every activity and every orchestration turn
  --help             this text

Environment:
  FUNCTIONS_WORKER_PROCESS_COUNT  more than 1: activities run in so many processes (default: in the host's)
  AzureWebJobsStorage and all other application settings, which win over local.settings.json's

Signals: Ctrl-C (SIGINT) and SIGTERM end it cleanly: running functions get five seconds. A second Ctrl-C ends it at
once. Unfinished work continues at the next start, also after a crash.

Exit codes:
  0    ended by Ctrl-C or SIGTERM
  1    could not start, or could not continue (a full disk, an error the app did not catch); standard error says why
  130  ended at once by a second Ctrl-C
`;

export interface HostArguments {
  /** Undefined where neither an option nor a variable names one. */
  port: number | undefined;
  stateFolder: string;
  appFolder: string;
  azuritePort: number;
  readyFile: string | undefined;
  /** It ends with its last user. */
  whileUsed: boolean;
  /** Milliseconds that each activity costs before it begins. */
  activityMs: number;
  verbose: boolean;
}

/** Undefined when help was asked for. Throws StartUpError for what it does not know. */
export function readArguments(args: string[], environment: NodeJS.ProcessEnv): HostArguments | undefined {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        port: { type: "string", short: "p" },
        state: { type: "string" },
        app: { type: "string" },
        "azurite-port": { type: "string" },
        "ready-file": { type: "string" },
        "while-used": { type: "boolean", default: false },
        "activity-ms": { type: "string", default: "0" },
        verbose: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    throw new StartUpError(`${messageOf(error)} Try --help.`);
  }
  if (values.help) return undefined;
  for (const option of ["app", "state", "ready-file"] as const) refuseBlank(`--${option}`, values[option]);
  refuseBlank("LOCAL_HOST_STATE", environment["LOCAL_HOST_STATE"]);
  const port = values.port ?? environment["FUNCTIONS_PORT"];
  const appFolder = path.resolve(values.app ?? ".");
  return {
    port: port === undefined ? undefined : portNumber("--port", port),
    stateFolder: path.resolve(
      values.state ?? environment["LOCAL_HOST_STATE"] ?? path.join(appFolder, ".local"),
    ),
    appFolder,
    azuritePort: portNumber(
      "--azurite-port",
      values["azurite-port"] ?? environment["AZURITE_BLOB_PORT"] ?? String(BLOB_PORT),
      1,
    ),
    readyFile: values["ready-file"],
    whileUsed: values["while-used"],
    activityMs: milliseconds("--activity-ms", values["activity-ms"]),
    verbose: values.verbose,
  };
}

/** An empty path would be the current folder. */
function refuseBlank(what: string, value: string | undefined): void {
  if (value?.trim() === "") throw new StartUpError(`${what} is empty: expected a path.`);
}

function portNumber(option: string, text: string, lowest = 0): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < lowest || port > 65_535)
    throw new StartUpError(`${option} takes a port number, ${lowest} to 65535, not "${text}".`);
  return port;
}

function milliseconds(option: string, text: string): number {
  if (!/^\d{1,4}$/.test(text))
    throw new StartUpError(`${option} takes milliseconds, 0 to 9999, not "${text}".`);
  return Number(text);
}
