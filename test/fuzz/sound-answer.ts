/** What every answer must be, whatever was asked, and what the host must be afterwards. */
import { expect } from "vitest";
import type { LocalHostProcess } from "../harness/local-host.ts";
import { expectNoSecrets, secretsOf } from "../harness/secrets.ts";
import { send, type RawAnswer, type RawRequest } from "./raw-request.ts";

/** The same process as at first answers, and nothing went wrong in it that it did not expect. */
export async function expectAlive(host: LocalHostProcess): Promise<void> {
  expect((await fetch(`${host.url}/admin/host/status`)).status).toBe(200);
  expect(process.kill(host.pid, 0)).toBe(true);
  const unexpected = host
    .logs()
    .split("\n")
    .filter((line) => /Unexpected: |Unhandled|TypeError|RangeError|URIError/.test(line));
  expect(unexpected).toEqual([]);
}

/** Sends a request. Its answer comes in time, is never 500, and where it refuses, it is a problem with no secret in it. */
export async function expectSound(host: LocalHostProcess, request: RawRequest): Promise<RawAnswer> {
  const answer = await send(host.url, request);
  const { status, body } = answer;
  expect(status, body).toBeGreaterThanOrEqual(200);
  // 501: entities, which the local host says that it has not.
  if (!/durabletask\/entities/i.test(request.target)) expect(status, body).toBeLessThan(500);
  for (const secret of secretsOf(host.connectionString)) expect(body).not.toContain(secret);
  if (status < 400) return answer;
  expectNoSecrets("an answer", body, []);
  const type = answer.headers.get("content-type");
  // The host's own answers are empty (no such route; no HTTP), or say what is refused in `Message`.
  if (body === "" || type !== "application/problem+json") {
    expect([400, 403, 404, 410, 412, 413, 417, 431]).toContain(status);
    expect(isOfTheHost(request, status), `${status} ${body}`).toBe(true);
  } else {
    expect(JSON.parse(Buffer.from(body, "latin1").toString())).toMatchObject({
      type: "about:blank",
      title: expect.stringMatching(/\w/),
      status,
      detail: expect.stringMatching(/\w/),
    });
  }
  return answer;
}

/** Whether an answer may be the host's rather than the app's: the app was not asked, or was refused to the caller. */
function isOfTheHost({ method, target, headers: sent }: RawRequest, status: number): boolean {
  if (!/^\/(backups|orchestrators)(\/|\?|$)/.test(target)) return true;
  if (status === 404) return method !== "POST" || !/^\/orchestrators\/\w+$/.test(target);
  return sent.length > 0 || /[^\x21-\x7e]/.test(target);
}
