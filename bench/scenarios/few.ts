import { App, PACKS } from "../peers/app.ts";
import { Bare, SMALL_FILES } from "../peers/bare.ts";
import { rclone } from "../peers/rclone.ts";
import { restic } from "../peers/restic.ts";
import type { Row } from "../results.ts";
import { Azurite } from "../services/azurite.ts";
import { compare } from "./compare.ts";
import type { Scenario } from "./scenario.ts";

/** The cost of an activity on the real engine, which hands them out one after another. */
export const ACTIVITY_MS = 20;

const startStorage = () => Azurite.start();

/** Trees so small that the engine is most of their backup's cost. */
export const few: Scenario = {
  name: "few",
  title: "A few small files, also with activities as slow as on the real engine",
  run: async ({ runs, sizes, build, sweep, say }) => {
    const rows: Row[] = [];
    for (const tree of sizes.few()) {
      const bare = await Bare.best(sweep ? SMALL_FILES : SMALL_FILES.slice(0, 1), tree, startStorage);
      const each = [{}, { activityMs: ACTIVITY_MS }];
      const apps = each.flatMap((how) => [new App(build, how), new App(build, { ...how, layout: PACKS })]);
      const peers = [...apps, bare, rclone, restic];
      const compared = await compare(peers, { tree, runs, startStorage, say });
      rows.push(
        ...compared.map(({ how: _how, name, ...row }) => ({
          name: `${tree.files.toLocaleString("en")} files: ${name}`,
          ...row,
        })),
      );
    }
    return rows;
  },
};
