/** What may come of a request whose records are damaged. */
import { expect } from "vitest";
import { followRun, postRun, type RunStatus } from "../harness/run.ts";

/** What JavaScript says of what nobody had thought of. */
const UNEXPECTED =
  /TypeError|RangeError|URIError|not a function|Cannot (?:read|set|convert)|undefined is not|is not iterable|Invalid URL|call stack/;

/** An answer that is right, or a problem: 404 (nothing of it can be read) or 502 (it is damaged). */
export async function get(
  url: string,
  at: string,
  allowed = [200, 404, 502],
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}${at}`);
  const text = await response.text();
  expect(allowed, `GET ${at}: ${response.status} ${text}`).toContain(response.status);
  if (response.status !== 200) {
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(text).toMatch(/"detail":".*\w/);
  }
  return { status: response.status, text };
}

/** Starts a run and follows it, where it is not refused with a problem. */
export async function outcome(
  url: string,
  orchestrator: string,
  request: object,
): Promise<RunStatus | undefined> {
  let location: string;
  try {
    ({ location } = await postRun(url, orchestrator, request));
  } catch (error) {
    expect((error as Error).message).toMatch(/^(404|409|502) \{"type":"about:blank"/);
    return undefined;
  }
  const response = await followRun(location, 100_000);
  expect(["Completed", "Failed"]).toContain(response.runtimeStatus);
  const text = JSON.stringify([response.output, response.customStatus]);
  expect(text).not.toMatch(UNEXPECTED);
  if (response.runtimeStatus === "Failed") expect(text).toMatch(/\w+ \w+/);
  return response;
}

/** All that can be read of a run. */
export async function lookAt(url: string, id: string): Promise<void> {
  await get(url, `/backups/${id}`);
  await get(url, `/backups/${id}/files`);
  await get(url, `/backups/${id}/files?outcome=copied&limit=2`);
  await get(url, `/backups/${id}/deleted`);
  for (const query of ["", "?recursive=true", "?limit=1", "?path=b"])
    await get(url, `/backups/${id}/tree${query}`, [200, 400, 404, 502]);
  for (const [file, content] of [
    ["a.txt", "aaaa"],
    ["b/c.txt", "cc"],
    ["b/d/e.txt", ""],
  ]) {
    const answer = await get(url, `/backups/${id}/content?path=${file}`, [200, 400, 404, 410, 502, 503]);
    if (answer.status === 200) expect(answer.text).toBe(content);
  }
}

/** Starts a backup where the claim or the lock may be damaged: 502 then names the blob. */
export async function statusOfStart(
  url: string,
  request: { root: string; container: string },
): Promise<number> {
  const response = await fetch(`${url}/orchestrators/backupSiteContent`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  expect([202, 409, 502], text).toContain(response.status);
  if (response.status === 502) expect(text).toMatch(/backup-runs\/(destinations|prunes)\/.* is damaged/);
  return response.status;
}
