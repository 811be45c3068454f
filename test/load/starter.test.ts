/** Many clients at a time: nothing lost, latency and memory bounded. In full by `npm run test:load`. */
import { rm } from "node:fs/promises";
import path from "node:path";
import pMap from "p-map";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { peakMemoryOf } from "../harness/processes.ts";
import { followRun } from "../harness/run.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";
import { openLoop, percentile } from "./open-loop.ts";

const full = process.env["LOAD"] === "full";
const STARTS = full ? 200 : 20;
const INSTANCES = full ? 10_000 : 300;
const PAGE = full ? 1000 : 30;
const [RATE, SECONDS] = [2000, 10];
/** MiB that the host may have held at its worst, with all of this. */
const MEMORY = 700;

let host: LocalHostProcess;
let folder: string;
let root: string;

beforeAll(async () => {
  folder = await makeFolder("load");
  root = await makeTree(path.join(folder, "root"), { "a.txt": "aaaa", "b/c.txt": "cc" });
  host = await startLocalHost({ entry: "build", env: { BACKUP_ROOTS: root } });
});
afterAll(async () => {
  await host?.stop();
  await rm(folder, { recursive: true, force: true });
});

function say(line: string): void {
  if (full) console.log(line);
}

/** MiB; undefined where the system does not tell. Azurite is a process of its own, and not in it. */
function peakMemory(): number | undefined {
  if (process.platform !== "linux") return undefined;
  return Math.round(peakMemoryOf(host.pid) / 1024);
}

interface Answer {
  status: number;
  location: string;
  /** Milliseconds. */
  took: number;
}

async function post(request: object): Promise<Answer> {
  const start = performance.now();
  const response = await fetch(`${host.url}/orchestrators/backupSiteContent`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
  });
  await response.text();
  const took = Math.round(performance.now() - start);
  return { status: response.status, location: response.headers.get("location") ?? "", took };
}

function slowest(answers: readonly Answer[]): number {
  return Math.max(...answers.map(({ took }) => took));
}

describe("parallel starts", () => {
  it(`${STARTS} to one destination: exactly one is accepted, all others are told 409`, async () => {
    const start = performance.now();
    const answers = await Promise.all(Array.from({ length: STARTS }, () => post({ root, container: "one" })));
    const accepted = answers.filter(({ status }) => status === 202);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      202,
      ...Array<number>(STARTS - 1).fill(409),
    ]);
    expect(await followRun(accepted[0]?.location ?? "", 240_000)).toMatchObject({ output: 6 });
    say(
      `${STARTS} POSTs to one destination: 1 accepted, ${STARTS - 1} refused, slowest answer ${slowest(answers)} ms, ` +
        `run ended after ${Math.round(performance.now() - start)} ms`,
    );
  });

  it.runIf(full)(`${STARTS} to destinations of their own: all are accepted, and complete`, async () => {
    const start = performance.now();
    const answers = await Promise.all(
      Array.from({ length: STARTS }, (_none, index) => post({ root, container: `own-${index}` })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const runs = await pMap(answers, ({ location }) => followRun(location, 240_000), { concurrency: 16 });
    expect(new Set(runs.map(({ runtimeStatus, output }) => `${runtimeStatus} ${String(output)}`))).toEqual(
      new Set(["Completed 6"]),
    );
    expect(new Set(runs.map(({ instanceId }) => instanceId)).size).toBe(STARTS);
    say(
      `${STARTS} POSTs to ${STARTS} destinations: all accepted, slowest answer ${slowest(answers)} ms, all completed ` +
        `after ${Math.round(performance.now() - start)} ms`,
    );
  });
});

const webhook = () => `${host.url}/runtime/webhooks/durabletask`;
const idOf = (index: number) => `load-${String(index).padStart(6, "0")}`;

/** All ids of a list, page by page, as its continuation leads. */
async function listed(query: string): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = [];
  for (let pages = 1, token: string | undefined; ; pages++) {
    const response = await fetch(`${webhook()}/instances?${query}`, {
      headers: token === undefined ? {} : { "x-ms-continuation-token": token },
    });
    expect(response.status).toBe(200);
    const page = (await response.json()) as { instanceId: string }[];
    ids.push(...page.map(({ instanceId }) => instanceId));
    token = response.headers.get("x-ms-continuation-token") ?? undefined;
    if (token === undefined) return { ids, pages };
  }
}

describe(`${INSTANCES} instances`, () => {
  it("are listed page by page, each exactly once, also those of an even start", async () => {
    const start = performance.now();
    const wanted = Array.from({ length: INSTANCES }, (_none, index) => idOf(index));
    // What has no request fails at once: it is their number that counts here.
    const statuses = await pMap(
      wanted,
      async (id) => {
        const response = await fetch(`${webhook()}/orchestrators/verifyBackup/${id}`, { method: "POST" });
        await response.text();
        return response.status;
      },
      { concurrency: 32 },
    );
    expect(new Set(statuses)).toEqual(new Set([202]));
    const made = performance.now();
    const { ids, pages } = await listed(`top=${PAGE}&instanceIdPrefix=load-`);
    const took = Math.round(performance.now() - made);
    expect(pages).toBe(INSTANCES / PAGE);
    expect(ids).toEqual(wanted);
    // A page that is not filled by what is asked for.
    expect((await listed(`top=7&instanceIdPrefix=${idOf(1).slice(0, -2)}`)).ids).toEqual(
      wanted.slice(0, 100),
    );
    for (;;) {
      const active = await fetch(`${webhook()}/instances?runtimeStatus=Pending,Running&top=1`);
      if (((await active.json()) as unknown[]).length === 0) break;
    }
    expect((await listed(`top=${PAGE}&runtimeStatus=Failed&instanceIdPrefix=load-`)).ids).toEqual(wanted);
    say(
      `${INSTANCES} instances: started in ${Math.round(made - start)} ms, listed in ${pages} pages in ${took} ms, ` +
        `none lost, none twice`,
    );
  });
});

describe.runIf(full)("polling", () => {
  it(`${RATE} status polls a second for ${SECONDS} s: every one is answered, in bounded time`, async () => {
    const { location } = await post({ root, container: "polled" });
    await followRun(location);
    const load = await openLoop(() => location, RATE, SECONDS);
    expect(load.statuses).toEqual(new Map([[200, RATE * SECONDS]]));
    const [half, most, nearly, worst] = [0.5, 0.95, 0.99, 1].map((share) => percentile(load, share));
    say(
      `${RATE} polls a second for ${SECONDS} s: ${RATE * SECONDS} answered, p50 ${half} ms, p95 ${most} ms, ` +
        `p99 ${nearly} ms, slowest ${worst} ms`,
    );
    expect(nearly).toBeLessThan(1000);
    expect(worst).toBeLessThan(5000);
  });
});

it("memory stays bounded through all of it", () => {
  const peak = peakMemory();
  say(`peak memory of the host: ${peak ?? "not known"} MiB`);
  expect(peak ?? 0).toBeLessThan(MEMORY);
});
