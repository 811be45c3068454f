import { Failure } from "./failure.ts";

/** Files by outcome, and bytes, as the app's custom status has them. */
export interface Counts {
  copied: number;
  unchanged: number;
  vanished: number;
  skipped: number;
  failed: number;
  directories: number;
  /** Bytes copied. */
  bytes: number;
  unchangedBytes: number;
}

/** What the app says of a run: the Durable status with the app's own custom status. */
export interface RunStatus {
  instanceId: string;
  runtimeStatus: "Pending" | "Running" | "Suspended" | "Completed" | "Failed" | "Terminated" | "Canceled";
  customStatus: {
    phase?: string;
    counts?: Counts;
  } | null;
  output: unknown;
}

/** How far a run is. */
export interface RunProgress {
  /** What is settled. */
  counts: Counts;
  /** What is to be copied, as far as it is known; complete when nothing is left to list. */
  listed: { files: number; bytes: number; complete: boolean };
}

/** A run that was started: where to ask for it, and how to stop it. */
export interface Started {
  id: string;
  location: string;
  terminate: string;
}

/** The app's HTTP API. Keys go in headers and are never part of a message. */
export class Api {
  readonly #url: string;
  readonly #key: string | undefined;

  constructor(url: string, key: string | undefined) {
    this.#url = url.replace(/\/+$/, "");
    this.#key = key;
  }

  /** Starts a backup. @throws Failure with what the app has against it */
  async startBackup(body: unknown): Promise<Started> {
    const response = await this.#fetch(`${this.#url}/orchestrators/backupSiteContent`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.status !== 202) throw new Failure(await refusal(response));
    const { id, terminatePostUri } = (await response.json()) as { id: string; terminatePostUri: string };
    return { id, location: response.headers.get("location") ?? "", terminate: terminatePostUri };
  }

  /** How far a run is, by its ledger; undefined where the app does not know the run yet. */
  async progress(id: string): Promise<RunProgress | undefined> {
    const response = await this.#fetch(`${this.#url}/backups/${encodeURIComponent(id)}`, {});
    if (response.status !== 200) return undefined;
    return ((await response.json()) as { progress: RunProgress }).progress;
  }

  /** A run's status, from the address that starting it gave. */
  async status(location: string): Promise<RunStatus> {
    const response = await this.#fetch(location, {});
    if (response.status !== 200 && response.status !== 202) throw new Failure(await refusal(response));
    return (await response.json()) as RunStatus;
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#key !== undefined) headers.set("x-functions-key", this.#key);
    try {
      return await fetch(url, { ...init, headers, signal: AbortSignal.timeout(30_000) });
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      throw new Failure(
        `${this.#url} does not answer (${code ?? (error as Error).name}). Is the app running, and the URL right?`,
      );
    }
  }
}

/** What an answer that is not a success means, in words. */
async function refusal(response: Response): Promise<string> {
  const text = await response.text();
  if (response.headers.get("content-type")?.includes("problem+json")) {
    return (JSON.parse(text) as { detail?: string }).detail ?? text;
  }
  if (response.status === 401 || response.status === 403) {
    return `The app wants a function key (HTTP ${response.status}). Give it with --key or SITE_BACKUP_KEY.`;
  }
  if (response.status === 404) return "What answers there is not a site-backup app (HTTP 404).";
  return `The app answered HTTP ${response.status}${text === "" ? "" : `: ${text.slice(0, 300)}`}.`;
}
