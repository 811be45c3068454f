import path from "node:path";
import { figure } from "../measure/statistics.ts";
import type { Row } from "../results.ts";
import { LocalHost, PROJECT } from "../services/local-host.ts";
import type { Scenario } from "./scenario.ts";

const FIXTURE = path.join(PROJECT, "bench", "fixtures", "fan-out");

/** The local host's durable engine alone: activities that do nothing. */
export const engine: Scenario = {
  name: "engine",
  title: "The durable engine alone: a fan-out of activities that do nothing",
  run: async ({ runs, processes, sizes, build, say }) => {
    const rows: Row[] = [];
    for (const activities of sizes.fanOuts) {
      const where = processes === 1 ? "" : `, ${processes} processes`;
      const name = `${activities.toLocaleString("en")} activities${where}`;
      const seconds: number[] = [];
      for (let round = 0; round < runs; round++) seconds.push(await fanOut(build, processes, activities));
      say(`  ${name}: ${seconds.map((each) => each.toFixed(2)).join(", ")} s`);
      rows.push({ name, figures: { seconds: figure(seconds) } });
    }
    return rows;
  },
};

async function fanOut(build: string, workers: number, activities: number): Promise<number> {
  const host = await LocalHost.start({ build, workers, app: FIXTURE });
  try {
    const begin = performance.now();
    const done = await host.run("fanOut", activities);
    if (done !== activities) throw new Error(`${String(done)} activities ran instead of ${activities}`);
    return (performance.now() - begin) / 1000;
  } finally {
    await host.stop();
    host.discard();
  }
}
