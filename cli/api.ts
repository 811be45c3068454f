import type { FileOutcome, Page, Run, Started, Status } from "./answers.ts";
import { Failure } from "./failure.ts";

/** Longer than any answer takes: canceling waits for a run's parts to end. */
const TIMEOUT_MS = 60_000;
/** A poll that fails is made again for so long: a deployment may restart under a run. */
const PATIENCE_MS = 30_000;

/** The app does not answer at all. */
export class Unreachable extends Failure {}

/** The app's HTTP API. Keys go in headers and are never part of a message. All calls throw Failure. */
export class Api {
  readonly #url: string;
  readonly #key: string | undefined;
  #lost: number | undefined;

  constructor(url: string, key: string | undefined) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new Failure(
        `"${url}" is not the address of an app; expected one like https://my-app.azurewebsites.net.`,
      );
    }
    this.#url = url.replace(/\/+$/, "");
    this.#key = key;
  }

  /** Starts a backup. */
  async startBackup(body: unknown): Promise<Started> {
    const response = await this.#fetch("/orchestrators/backupSiteContent", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.status !== 202) throw new Failure(await this.#refusal(response));
    const { id } = (await response.json()) as { id: string };
    return { id, location: response.headers.get("location") ?? "" };
  }

  /** A run's Durable status, from the address that starting it gave. Undefined where the app cannot be asked just now. */
  async status(location: string): Promise<Status | undefined> {
    return await this.#poll<Status>(location);
  }

  /** A run while it goes on. Undefined where the app cannot be asked just now. */
  async follow(id: string): Promise<Run | undefined> {
    return await this.#poll<Run>(`/backups/${encodeURIComponent(id)}`);
  }

  async run(id: string): Promise<Run> {
    return await this.#get<Run>(`/backups/${encodeURIComponent(id)}`);
  }

  async runs(query: Record<string, string | undefined>): Promise<Page<Run>> {
    const { runs, continuation } = await this.#get<{ runs: Run[]; continuation?: string }>(
      `/backups${queryOf(query)}`,
    );
    return { items: runs, ...(continuation === undefined ? {} : { continuation }) };
  }

  async files(id: string, query: Record<string, string | undefined>): Promise<Page<FileOutcome>> {
    const { files, continuation } = await this.#get<{ files: FileOutcome[]; continuation?: string }>(
      `/backups/${encodeURIComponent(id)}/files${queryOf(query)}`,
    );
    return { items: files, ...(continuation === undefined ? {} : { continuation }) };
  }

  /** Cancels a run, and gives it as it stands then. */
  async cancel(id: string): Promise<Run> {
    const response = await this.#fetch(`/backups/${encodeURIComponent(id)}/cancel`, { method: "POST" });
    if (response.status !== 200) throw new Failure(await this.#refusal(response));
    return (await response.json()) as Run;
  }

  async #get<T>(path: string): Promise<T> {
    const response = await this.#fetch(path, {});
    if (response.status !== 200) throw new Failure(await this.#refusal(response));
    return (await response.json()) as T;
  }

  async #poll<T>(path: string): Promise<T | undefined> {
    try {
      const response = await this.#fetch(path, {});
      if (response.status >= 500) throw new Unreachable(await this.#refusal(response));
      if (response.status !== 200 && response.status !== 202)
        throw new Failure(await this.#refusal(response));
      this.#lost = undefined;
      return (await response.json()) as T;
    } catch (error) {
      this.#lost ??= Date.now();
      if (error instanceof Unreachable && Date.now() - this.#lost < PATIENCE_MS) return undefined;
      throw error;
    }
  }

  /** @param path below the app's address, or a whole address of the app's host */
  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const url = new URL(path.startsWith("/") ? `${this.#url}${path}` : path);
    const headers = new Headers(init.headers);
    // The key is the app's: it goes nowhere else.
    const own = url.hostname === new URL(this.#url).hostname;
    if (this.#key !== undefined && own) headers.set("x-functions-key", this.#key);
    try {
      return await fetch(url, { ...init, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      throw new Unreachable(
        `${this.#url} does not answer (${code ?? (error as Error).name}). Is the app running, and the address right?`,
      );
    }
  }

  /** What an answer that is not a success means, in words. */
  async #refusal(response: Response): Promise<string> {
    const text = await response.text();
    if (response.headers.get("content-type")?.includes("problem+json")) {
      return (JSON.parse(text) as { detail?: string }).detail ?? text;
    }
    if (response.status === 401 || response.status === 403) {
      return this.#key === undefined
        ? `The app wants a function key (HTTP ${response.status}). Give it with --key or SITE_BACKUP_KEY.`
        : `The app does not take this function key (HTTP ${response.status}).`;
    }
    if (response.status === 404) {
      return `What answers at ${this.#url} is not a site-backup app: it has no such route (HTTP 404).`;
    }
    return `The app answered HTTP ${response.status}${text === "" ? "" : `: ${text.slice(0, 300)}`}.`;
  }
}

function queryOf(query: Record<string, string | undefined>): string {
  const present = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return present.length === 0 ? "" : `?${new URLSearchParams(present).toString()}`;
}
