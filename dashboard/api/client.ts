import type { FileOutcome, Page, Run } from "./answers.ts";
import { anotherKey, currentKey } from "./key.ts";

/** A request that was refused or not answered; the message can be shown. */
export class ApiError extends Error {
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** The members of the app's problem (RFC 9457), if it gave one. */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, problem: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.status = status;
    this.problem = problem;
  }

  /** The same request may succeed later without any change. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Longer than any answer takes: a cancel waits for the run's parts to end. */
const TIMEOUT_MS = 60_000;

export type Query = Record<string, string | number | undefined>;

/** The app's HTTP API. Every call throws ApiError. */
export const api = {
  async runs(query: Query): Promise<Page<Run>> {
    const { runs, continuation } = await get<{ runs: Run[]; continuation?: string }>("backups", query);
    return { items: runs, continuation };
  },
  run: (id: string) => get<Run>(`backups/${encodeURIComponent(id)}`),
  async files(id: string, query: Query): Promise<Page<FileOutcome>> {
    const { files, continuation } = await get<{ files: FileOutcome[]; continuation?: string }>(
      `backups/${encodeURIComponent(id)}/files`,
      query,
    );
    return { items: files, continuation };
  },
  /** What a restore removed, or a dry run would remove. */
  async deleted(id: string, query: Query): Promise<Page<{ path: string }>> {
    const { deleted, continuation } = await get<{ deleted: { path: string }[]; continuation?: string }>(
      `backups/${encodeURIComponent(id)}/deleted`,
      query,
    );
    return { items: deleted, continuation };
  },
  /** Starts a backup, a restore or a verification. @returns the run's id */
  async start(
    orchestrator: "backupSiteContent" | "restoreSiteContent" | "verifyBackup",
    body: unknown,
  ): Promise<string> {
    return (await post<{ id: string }>(`orchestrators/${orchestrator}`, body)).id;
  },
  cancel: (id: string) => post<Run>(`backups/${encodeURIComponent(id)}/cancel`),
};

async function get<T>(path: string, query: Query = {}): Promise<T> {
  const present = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(present.map(([name, value]) => [name, String(value)])).toString();
  return await call<T>(search === "" ? path : `${path}?${search}`, { method: "GET" });
}

async function post<T>(path: string, body?: unknown): Promise<T> {
  const json = { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return await call<T>(path, { method: "POST", ...(body === undefined ? {} : json) });
}

async function call<T>(path: string, init: RequestInit): Promise<T> {
  for (;;) {
    const key = currentKey();
    const response = await send(path, init, key);
    if (response.ok) return (await response.json()) as T;
    if (response.status !== 401) throw await refusal(response);
    if ((await anotherKey(key)) === undefined) {
      throw new ApiError(
        401,
        "The app requires a function key, and none was given. Reload the page to be asked again.",
      );
    }
  }
}

/** Relative to the page, so that it reaches the page's own app, whatever path that is under. */
async function send(path: string, init: RequestInit, key: string | undefined): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Accept", "application/json");
  if (key !== undefined) headers.set("x-functions-key", key);
  try {
    return await fetch(new URL(path, document.baseURI), {
      ...init,
      headers,
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    const unsure =
      init.method === "POST" ? " Check the list of runs before you try again: it may have started." : "";
    throw new ApiError(0, `The app does not answer.${unsure}`);
  }
}

/** The error for an unsuccessful answer: its problem's detail, or what its status says. */
async function refusal(response: Response): Promise<ApiError> {
  const { status } = response;
  const text = await response.text().catch(() => "");
  if (response.headers.get("Content-Type")?.includes("problem+json")) {
    try {
      const problem = JSON.parse(text) as Record<string, unknown>;
      const { detail } = problem;
      if (typeof detail === "string" && detail !== "") return new ApiError(status, detail, problem);
    } catch {
      // Only its status is left.
    }
  }
  if (status === 403)
    return new ApiError(status, "The app refuses this (HTTP 403). Is the function key this app's?");
  if (status === 404)
    return new ApiError(status, "The app has no such route (HTTP 404). Is it an older version?");
  return new ApiError(status, `The app answered HTTP ${status}.`);
}
