import { printable } from "../src/model/path.ts";
import { appAddress } from "./address.ts";
import type {
  DeletedName,
  FileOutcome,
  Page,
  Run,
  Started,
  Stored,
  Status,
  TreePage,
} from "../client/answers.ts";
import { Failure, Refusal } from "./failure.ts";

/** Longer than any answer takes: a cancel waits for the run's parts to end. */
export const TIMEOUT_MS = 60_000;
/** How long a failing poll is repeated: a deployment may restart the app during a run. */
const PATIENCE_MS = 30_000;

export type Query = Record<string, string | undefined>;

/** The app does not answer at all. */
export class Unreachable extends Failure {}

/** The app's HTTP API. Keys go into headers, and never into a message. All calls throw Failure. */
export class Api {
  readonly #url: string;
  readonly #key: string | undefined;
  readonly #exact: boolean;
  #lost: number | undefined;

  /** @param exact keep the texts of answers as they are; else they are made printable */
  constructor(url: string, { key, exact = false }: { key: string | undefined; exact?: boolean }) {
    this.#url = appAddress(url, key !== undefined);
    this.#key = key;
    this.#exact = exact;
  }

  /** Starts one of the app's orchestrators. */
  async start(orchestrator: string, body: unknown): Promise<Started> {
    const response = await this.#fetch(`/orchestrators/${orchestrator}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.status !== 202) throw await this.#refusal(response);
    const { id } = await this.#objectOf<{ id: unknown }>(response);
    const location = response.headers.get("location") ?? "";
    if (typeof id !== "string" || !URL.canParse(location))
      throw new Failure(this.#stranger("it did not start a run"));
    return { id, location };
  }

  /** A run's Durable status, from the address returned at its start. Undefined if the app cannot be asked right now. */
  async status(location: string): Promise<Status | undefined> {
    return await this.#poll<Status>(location);
  }

  /** A run in progress. Undefined if the app cannot be asked right now. */
  async follow(id: string): Promise<Run | undefined> {
    return await this.#poll<Run>(`/backups/${encodeURIComponent(id)}`);
  }

  async run(id: string): Promise<Run> {
    return await this.#get<Run>(`/backups/${encodeURIComponent(id)}`);
  }

  async runs(query: Query): Promise<Page<Run>> {
    return await this.#page<Run>("runs", "/backups", query);
  }

  async files(id: string, query: Query): Promise<Page<FileOutcome>> {
    return await this.#page<FileOutcome>("files", `/backups/${encodeURIComponent(id)}/files`, query);
  }

  /** The names in a directory of a backup. @param query `path`, escaped; `limit`, `continuation` */
  async tree(id: string, query: Query): Promise<TreePage> {
    return await this.#get<TreePage>(`/backups/${encodeURIComponent(id)}/tree${queryOf(query)}`);
  }

  /**
   * The content of a file of a backup, or a part of it: the caller reads the answer's body.
   * @throws Unreachable if another try may succeed
   */
  async content(
    id: string,
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> {
    const route = `/backups/${encodeURIComponent(id)}/content${queryOf({ path })}`;
    const response = await this.#fetch(route, { headers, signal });
    if (response.status >= 500) throw new Unreachable((await this.#refusal(response)).message);
    if (response.status !== 200 && response.status !== 206) throw await this.#refusal(response);
    return response;
  }

  /** What a restore removed, or a dry run would remove. */
  async deleted(id: string, query: Query): Promise<Page<DeletedName>> {
    return await this.#page<DeletedName>("deleted", `/backups/${encodeURIComponent(id)}/deleted`, query);
  }

  /** How much lies in a destination: a part of it, if there is a continuation. */
  async stored(query: Query): Promise<Stored> {
    return await this.#get<Stored>(`/stored${queryOf(query)}`);
  }

  /** Cancels a run. @returns the run afterwards */
  async cancel(id: string): Promise<Run> {
    const response = await this.#fetch(`/backups/${encodeURIComponent(id)}/cancel`, { method: "POST" });
    if (response.status !== 200) throw await this.#refusal(response);
    return await this.#objectOf<Run>(response);
  }

  /** The dashboard's address, without a key. */
  async dashboard(): Promise<string> {
    const response = await this.#fetch("/dashboard", {});
    if (response.status === 404 && !isProblem(response))
      throw new Failure(`The app at ${this.#url} has no dashboard: it is older than this command.`);
    if (response.status !== 200) throw await this.#refusal(response);
    if (!(await response.text()).includes("<title>site-backup</title>"))
      throw new Failure(this.#stranger("its page is a different one"));
    return `${this.#url}/dashboard`;
  }

  async #page<T>(member: string, path: string, query: Query): Promise<Page<T>> {
    const answer = await this.#get<Record<string, T[]> & { continuation?: string }>(
      `${path}${queryOf(query)}`,
    );
    const { continuation } = answer;
    return { items: answer[member] ?? [], ...(continuation === undefined ? {} : { continuation }) };
  }

  async #get<T>(path: string): Promise<T> {
    const response = await this.#fetch(path, {});
    if (response.status !== 200) throw await this.#refusal(response);
    return await this.#objectOf<T>(response);
  }

  async #poll<T>(path: string): Promise<T | undefined> {
    try {
      const response = await this.#fetch(path, {});
      if (response.status >= 500) throw new Unreachable((await this.#refusal(response)).message);
      if (response.status !== 200 && response.status !== 202) throw await this.#refusal(response);
      const answer = await this.#objectOf<T>(response);
      this.#lost = undefined;
      return answer;
    } catch (error) {
      this.#lost ??= Date.now();
      if (error instanceof Unreachable && Date.now() - this.#lost < PATIENCE_MS) return undefined;
      throw error;
    }
  }

  /**
   * @param path below the app's address, or a whole address, of which only the path counts: the key never leaves the
   * app
   */
  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const { origin } = new URL(this.#url);
    const { pathname, search } = new URL(path.startsWith("/") ? `${this.#url}${path}` : path);
    const headers = new Headers(init.headers);
    if (this.#key !== undefined) headers.set("x-functions-key", this.#key);
    let response: Response;
    try {
      response = await fetch(`${origin}${pathname}${search}`, {
        ...init,
        headers,
        redirect: "manual",
        signal: init.signal ?? AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      throw new Unreachable(
        `${this.#url} does not answer (${whyUnreachable(error)}). Is the app running, and is the address correct?`,
      );
    }
    const to = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || to === null) return response;
    const elsewhere = URL.canParse(to, this.#url) ? new URL(to, this.#url).origin : "somewhere else";
    throw new Failure(
      `${this.#url} redirects to ${elsewhere}. Redirects are not followed: if the app is there, give that address with --url.`,
    );
  }

  /** The JSON object that every route answers. @throws Failure if something else answers, such as a sign-in page */
  async #objectOf<T>(response: Response): Promise<T> {
    let answer: unknown;
    try {
      answer = JSON.parse(await response.text(), (_member, value: unknown) =>
        typeof value === "string" && !this.#exact ? printable(value) : value,
      );
    } catch (error) {
      // Cut short, rather than not JSON.
      if (!(error instanceof SyntaxError))
        throw new Unreachable(`${this.#url} did not finish its answer (${whyUnreachable(error)}).`);
    }
    if (typeof answer !== "object" || answer === null || Array.isArray(answer))
      throw new Failure(this.#stranger("its answer is not a JSON object"));
    return answer as T;
  }

  #stranger(why: string): string {
    return `What answers at ${this.#url} is not a site-backup app: ${why}.`;
  }

  /** The error for an unsuccessful answer. */
  async #refusal(response: Response): Promise<Failure> {
    const text = await response.text();
    if (isProblem(response)) {
      const problem = JSON.parse(text) as { detail?: string };
      return new Refusal(printable(problem.detail ?? text), problem);
    }
    return new Failure(this.#whyRefused(response.status, text.trim()));
  }

  #whyRefused(status: number, text: string): string {
    if (status === 401 || status === 403) {
      return this.#key === undefined
        ? `The app requires a function key (HTTP ${status}). Give it with --key-file or SITE_BACKUP_KEY.`
        : `The app rejects this function key (HTTP ${status}).`;
    }
    if (status === 404) return this.#stranger("it has no such route (HTTP 404)");
    // The app says why it refuses; a server's HTML page says nothing useful.
    const said = text === "" || text.startsWith("<") ? "" : `: ${printable(text.slice(0, 300))}`;
    return status < 500
      ? `What answers at ${this.#url} is not a site-backup app, or is a proxy before it: HTTP ${status}${said}.`
      : `The app at ${this.#url} failed to answer (HTTP ${status}${said}).`;
  }
}

export function whyUnreachable(error: unknown): string {
  const { name, cause } = error as { name: string; cause?: { code?: string; message?: string } };
  if (name === "TimeoutError") return `nothing within ${TIMEOUT_MS / 1000} s`;
  return cause?.code ?? printable(cause?.message ?? name);
}

/** Whether the app itself refuses, and says why. */
function isProblem(response: Response): boolean {
  return response.headers.get("content-type")?.includes("problem+json") ?? false;
}

function queryOf(query: Query): string {
  const present = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return present.length === 0 ? "" : `?${new URLSearchParams(present).toString()}`;
}
