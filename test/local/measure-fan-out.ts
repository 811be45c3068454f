/**
 * Measures the durable engine alone: fan-outs of no-op activities, from the start to the end of the orchestration.
 *
 *   node test/local/measure-fan-out.ts [--processes N] [--activity NAME]
 *
 * `noop` (default) answers at once; `tick` after a turn of the event loop, as one that does I/O would.
 */
import { parseArgs } from "node:util";
import { begin, ended, startFixture } from "./durable-helpers.ts";

const { values } = parseArgs({
  options: { processes: { type: "string", default: "1" }, activity: { type: "string", default: "noop" } },
});
const host = await startFixture({ env: { FUNCTIONS_WORKER_PROCESS_COUNT: values.processes } });
try {
  await ended(host, await begin(host, "wide", { n: 100, activity: values.activity }));
  for (const n of [20, 200, 1_000, 4_000]) {
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const start = performance.now();
      const { output } = await ended(
        host,
        await begin(host, "wide", { n, activity: values.activity }),
        60_000,
      );
      if (output !== n) throw new Error(`${n} activities gave ${JSON.stringify(output)}`);
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    const [least, , median, , most] = times.map((time) => Math.round(time));
    console.log(`${n} activities: ${median} ms (${least} to ${most})`);
  }
} finally {
  await host.stop();
}
