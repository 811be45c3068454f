/** What tests of durable functions do over HTTP. */
import { fileURLToPath } from "node:url";
import { type LocalHostOptions, type LocalHostProcess, startLocalHost } from "../harness/local-host.ts";

export const FIXTURE_APP = fileURLToPath(new URL("fixtures/app", import.meta.url));

export interface InstanceStatus {
  name: string;
  instanceId: string;
  runtimeStatus: string;
  input: unknown;
  customStatus: unknown;
  output: unknown;
  createdTime: string;
  lastUpdatedTime: string;
  historyEvents?: Record<string, unknown>[];
}

export function startFixture(options: LocalHostOptions = {}): Promise<LocalHostProcess> {
  return startLocalHost({ app: FIXTURE_APP, connectionString: "none", ...options });
}

/** Starts an orchestration; returns its id. */
export async function begin(
  host: { url: string },
  name: string,
  input?: unknown,
  id?: string,
): Promise<string> {
  const response = await fetch(`${host.url}/orchestrators/${name}${id === undefined ? "" : `?id=${id}`}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    ...(input === undefined ? {} : { body: JSON.stringify(input) }),
  });
  if (response.status !== 202) throw new Error(`start: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}

export function instanceUrl(host: { url: string }, id: string, more = ""): string {
  return `${host.url}/runtime/webhooks/durabletask/instances/${encodeURIComponent(id)}${more}`;
}

export async function statusOf(host: { url: string }, id: string, query = ""): Promise<InstanceStatus> {
  return (await (await fetch(instanceUrl(host, id, query))).json()) as InstanceStatus;
}

/** Waits until the status is as wanted; fails after `within` milliseconds, saying what it was. */
export async function until(
  host: { url: string },
  id: string,
  wanted: (status: InstanceStatus) => boolean,
  within = 15_000,
): Promise<InstanceStatus> {
  const end = Date.now() + within;
  for (;;) {
    const status = await statusOf(host, id);
    if (wanted(status)) return status;
    if (Date.now() > end) throw new Error(`not reached: ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

export function ended(host: { url: string }, id: string, within?: number): Promise<InstanceStatus> {
  return until(
    host,
    id,
    ({ runtimeStatus }) => !["Pending", "Running", "Suspended"].includes(runtimeStatus),
    within,
  );
}

/** Runs an orchestration to its end. */
export async function run(host: { url: string }, name: string, input?: unknown): Promise<InstanceStatus> {
  return ended(host, await begin(host, name, input));
}

export function post(url: string, body?: unknown): Promise<Response> {
  return fetch(url, {
    method: "POST",
    ...(body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
}

export function raise(host: { url: string }, id: string, event: string, data: unknown): Promise<Response> {
  return post(instanceUrl(host, id, `/raiseEvent/${event}`), data);
}

/** Calls a method of durable-functions' client inside the app. */
export async function clientCall(
  host: { url: string },
  method: string,
  ...args: unknown[]
): Promise<{ result?: unknown; error?: string }> {
  return (await (await post(`${host.url}/client/${method}`, args)).json()) as {
    result?: unknown;
    error?: string;
  };
}
