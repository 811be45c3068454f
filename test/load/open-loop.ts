/** Requests at a fixed rate, whether those before are answered or not: what a crowd of clients does. */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Load {
  /** Answers by status; 0 for those that never came. */
  statuses: Map<number, number>;
  /** Milliseconds from the moment that a request was due, in ascending order. */
  latencies: number[];
}

/** Asks by GET, `rate` times a second for so many seconds, and waits for all answers. */
export async function openLoop(url: (index: number) => string, rate: number, seconds: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const load: Load = { statuses: new Map(), latencies: [] };
  const all: Promise<void>[] = [];
  const start = performance.now();
  for (let index = 0; index < rate * seconds; index++) {
    const due = start + (index * 1000) / rate;
    const early = due - performance.now();
    if (early > 0) await sleep(early);
    all.push(
      ask(url(index), agent).then((status) => {
        load.statuses.set(status, (load.statuses.get(status) ?? 0) + 1);
        load.latencies.push(performance.now() - due);
      }),
    );
  }
  await Promise.all(all);
  agent.destroy();
  load.latencies.sort((a, b) => a - b);
  return load;
}

function ask(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve) => {
    request(url, { agent }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode ?? 0));
    })
      .once("error", () => resolve(0))
      .end();
  });
}

/** The latency that a share of the requests stayed below, in whole milliseconds. */
export function percentile({ latencies }: Load, share: number): number {
  return Math.ceil(latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? 0);
}
