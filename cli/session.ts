import { Api } from "./api.ts";
import { Interruption } from "./interruption.ts";
import { useLocalHost, type LocalHost } from "./host.ts";

/** What every command can be told. */
export interface CommonOptions {
  url?: string;
  key?: string;
  json?: boolean;
  quiet?: boolean;
}

/** What a command works with. */
export interface Session {
  api: Api;
  /** The local host; undefined where --url names the app. */
  host: LocalHost | undefined;
  interruption: Interruption;
  /** How often to ask how a run goes. */
  pollMs: number;
}

const POLL_LOCAL_MS = 250;
const POLL_REMOTE_MS = 2_000;

/** Does a command's work with the app that the options name, and ends what it started for it. */
export async function withSession(
  options: CommonOptions,
  work: (session: Session) => Promise<number>,
): Promise<number> {
  const interruption = new Interruption();
  const say = (line: string): void => {
    if (!options.quiet && !options.json) process.stderr.write(`${line}\n`);
  };
  const host = options.url === undefined ? await useLocalHost(say, interruption.signal) : undefined;
  try {
    const api = new Api(options.url ?? host?.url ?? "", options.key);
    const local = host !== undefined || isLoopback(options.url ?? "");
    return await work({ api, host, interruption, pollMs: local ? POLL_LOCAL_MS : POLL_REMOTE_MS });
  } finally {
    await host?.lease?.end();
  }
}

/** Whether an address is this machine's own: the app then sees the directories that the caller sees. */
export function isLoopback(url: string): boolean {
  return URL.canParse(url) && ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
}
