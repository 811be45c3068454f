/** Starts a backup on a host of the test's own, and follows it. */
import { setTimeout as sleep } from "node:timers/promises";

export interface RunStatus {
  instanceId: string;
  runtimeStatus: string;
  customStatus?: unknown;
  output: unknown;
}

export async function postBackup(url: string, request: unknown): Promise<{ id: string; location: string }> {
  return await postRun(url, "backupSiteContent", request);
}

export async function postRun(
  url: string,
  orchestrator: string,
  request: unknown,
): Promise<{ id: string; location: string }> {
  const response = await fetch(`${url}/orchestrators/${orchestrator}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  if (response.status !== 202) throw new Error(`${response.status} ${text}`);
  return { id: (JSON.parse(text) as { id: string }).id, location: response.headers.get("location") ?? "" };
}

/** Polls until the run has ended. */
export async function followRun(location: string, withinMs = 55_000): Promise<RunStatus> {
  const end = Date.now() + withinMs;
  for (;;) {
    const response = await fetch(location);
    const text = await response.text();
    if (response.status === 200) return JSON.parse(text) as RunStatus;
    if (response.status !== 202 || Date.now() > end) throw new Error(`${response.status} ${text}`);
    await sleep(50);
  }
}
