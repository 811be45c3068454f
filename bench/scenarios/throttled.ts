import path from "node:path";
import { fileURLToPath } from "node:url";
import { figure } from "../measure/statistics.ts";
import type { LimitedArguments, LimitedResult } from "../peers/limited-loop.ts";
import type { Row } from "../results.ts";
import { Child } from "../services/child.ts";
import { withinLimit } from "../services/limit.ts";
import { connectionString } from "../services/storage.ts";
import { startThrottling } from "../services/throttling.ts";
import type { Scenario } from "./scenario.ts";

const LOOP = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "peers", "limited-loop.ts");

/** The time of a write in a busy account; long enough that waiting, not the processor, dominates. */
const LATENCY_MS = 100;

/** By their names in the results. */
const RULES: Record<string, Omit<LimitedArguments, "blobs">> = {
  adaptive: { most: 32, adaptive: true },
  "always 32": { most: 32, adaptive: false },
  "always 8": { most: 8, adaptive: false },
};

/** The rate that storage accepts, requests a second; 0 means no limit. 32 requests of 100 ms are 320 a second. */
const RATES = [0, 200, 100, 50];

/** The adaptive limit beside fixed numbers of requests, against storage with a higher and a lower rate. */
export const throttled: Scenario = {
  name: "throttled",
  title: "Requests in flight: an adaptive limit and fixed ones, on storage that throttles",
  run: async ({ runs, sizes, say }) => {
    const rows: Row[] = [];
    for (const perSecond of RATES) {
      const bears = perSecond === 0 ? "no limit" : `${perSecond.toLocaleString("en")} requests/s`;
      const found = new Map<string, LimitedResult[]>(Object.keys(RULES).map((name) => [name, []]));
      for (let round = 0; round < runs; round++) {
        for (const [name, rule] of Object.entries(RULES)) {
          const result = await withinLimit(upload({ ...rule, blobs: sizes.throttled }, perSecond));
          found.get(name)?.push(result);
          say(`  ${bears}, ${name}: ${result.seconds.toFixed(2)} s, ${result.throttled} refused`);
        }
      }
      for (const [name, results] of found) {
        rows.push({
          name: `${bears}: ${name}`,
          figures: {
            seconds: figure(results.map(({ seconds }) => seconds)),
            refusedPerFile: figure(results.map((each) => each.throttled / sizes.throttled)),
            givenUp: figure(results.map(({ givenUp }) => givenUp)),
          },
        });
      }
    }
    return rows;
  },
};

async function upload(loop: LimitedArguments, perSecond: number): Promise<LimitedResult> {
  const storage = await startThrottling({ perSecond, latencyMs: LATENCY_MS });
  try {
    const child = new Child("the limited loop", process.execPath, [LOOP, JSON.stringify(loop)], {
      env: { ...process.env, BENCH_STORAGE: connectionString(storage.port) },
    });
    await child.success();
    return JSON.parse(child.output.split("\n").at(-1) ?? "") as LimitedResult;
  } finally {
    await storage.stop();
  }
}
