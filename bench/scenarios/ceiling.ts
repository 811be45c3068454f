import { App, PACKS } from "../peers/app.ts";
import { Bare, SMALL_FILES } from "../peers/bare.ts";
import { noSink, Sink } from "../services/sink.ts";
import { compare } from "./compare.ts";
import type { Scenario } from "./scenario.ts";

export const ONE_WORKER = "app";
export const TWO_WORKERS = "app, 2 workers";

/** The client's own maximum speed, against storage that accepts everything and stores nothing. */
export const ceiling: Scenario = {
  name: "ceiling",
  title: "The client's ceiling: small files, storage that costs nothing",
  run: async ({ runs, sizes, build, sweep, say }) => {
    const skipped = noSink();
    if (skipped !== undefined) return [{ name: ONE_WORKER, figures: {}, skipped }];
    const startStorage = () => Sink.start();
    const tree = sizes.ceiling();
    const bare = await Bare.best(sweep ? SMALL_FILES : SMALL_FILES.slice(0, 1), tree, startStorage);
    say(`  the bare loop is fastest with ${bare.how}`);
    const peers = [new App(build), bare, new App(build, { workers: 2 }), new App(build, { layout: PACKS })];
    return await compare(peers, { tree, runs, startStorage, say });
  },
};
