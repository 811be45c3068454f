import { isLoopback } from "./address.ts";
import { Api } from "./api.ts";
import { functionKey, type KeyOptions } from "./function-key.ts";
import { Interruption } from "./interruption.ts";
import { useLocalHost, type LocalHost } from "./host.ts";

/** The options of every command. */
export interface CommonOptions extends KeyOptions {
  url?: string;
  json?: boolean;
  quiet?: boolean;
}

/** What a command works with. */
export interface Session {
  api: Api;
  /** The local host; undefined if --url names the app. */
  host: LocalHost | undefined;
  interruption: Interruption;
  /** How often to ask for a run's progress. */
  pollMs: number;
}

const POLL_LOCAL_MS = 250;
const POLL_REMOTE_MS = 2_000;

/** Does a command's work with the app that the options name, and ends what it started for it. */
export async function withSession(
  options: CommonOptions,
  work: (session: Session) => Promise<number>,
): Promise<number> {
  const key = functionKey(options);
  const interruption = new Interruption();
  const say = (line: string): void => {
    if (!options.quiet && !options.json) process.stderr.write(`${line}\n`);
  };
  const host = options.url === undefined ? await useLocalHost(say, interruption.signal) : undefined;
  try {
    const api = new Api(options.url ?? host?.url ?? "", { key, exact: options.json });
    const local = host !== undefined || isLoopback(options.url ?? "");
    return await work({ api, host, interruption, pollMs: local ? POLL_LOCAL_MS : POLL_REMOTE_MS });
  } finally {
    await host?.lease?.end();
  }
}
