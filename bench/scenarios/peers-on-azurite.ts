import { App, PACKS } from "../peers/app.ts";
import { Bare, LARGE_FILES, SMALL_FILES } from "../peers/bare.ts";
import type { Way } from "../peers/bare-loop.ts";
import { rclone } from "../peers/rclone.ts";
import { restic } from "../peers/restic.ts";
import { Azurite } from "../services/azurite.ts";
import type { Sizes } from "../sizes.ts";
import type { Tree } from "../trees.ts";
import { compare } from "./compare.ts";
import { ACTIVITY_MS } from "./few.ts";
import type { Scenario } from "./scenario.ts";
import { touch } from "./touch.ts";

const startStorage = () => Azurite.start();

/** What the engine costs on Azure, see few.ts: in packs it is the larger part. */
const slowly = (build: string) => new App(build, { layout: PACKS, activityMs: ACTIVITY_MS });
const packed = (build: string) => [new App(build, { layout: PACKS }), slowly(build)];

/** A first backup of a tree, by every peer. */
function firstBackup(name: string, title: string, treeOf: (sizes: Sizes) => Tree, ways: Way[]): Scenario {
  return {
    name,
    title,
    run: async ({ runs, sizes, build, sweep, say }) => {
      const tree = treeOf(sizes);
      const bare = await Bare.best(sweep ? ways : ways.slice(0, 1), tree, startStorage);
      say(`  the bare loop is fastest with ${bare.how}`);
      const peers = [new App(build), ...packed(build), bare, rclone, restic];
      return await compare(peers, { tree, runs, weighs: true, startStorage, say });
    },
  };
}

export const small = firstBackup("small", "Many small files", (sizes) => sizes.small(), SMALL_FILES);
export const large = firstBackup("large", "A few large files", (sizes) => sizes.large(), LARGE_FILES);
export const mixed = firstBackup("mixed", "A mixed tree", (sizes) => sizes.mixed(), SMALL_FILES);

/** A second backup of a tree in which nothing has changed. */
function secondBackup(name: string, title: string, treeOf: (sizes: Sizes) => Tree): Scenario {
  return {
    name,
    title,
    run: async ({ runs, sizes, build, say }) => {
      const byRecord = new App(build, { again: "by the record" });
      const peers = [new App(build), byRecord, ...packed(build), rclone, restic];
      return await compare(peers, { tree: treeOf(sizes), runs, what: "again", startStorage, say });
    },
  };
}

export const unchanged = secondBackup("unchanged", "Small files again, nothing changed", (sizes) =>
  sizes.small(),
);
export const mixedUnchanged = secondBackup(
  "mixed-unchanged",
  "The mixed tree again, nothing changed",
  (sizes) => sizes.mixed(),
);

/** A second backup of files that a deployment has written again: new times, the same contents. */
export const touched: Scenario = {
  name: "touched",
  title: "Small files again, new times",
  run: async ({ runs, sizes, build, say }) => {
    const peers = [new App(build, { again: "by content" }), ...packed(build), rclone, restic];
    const comparison = {
      tree: sizes.small(),
      runs,
      what: "again" as const,
      change: touch,
      startStorage,
      say,
    };
    return await compare(peers, comparison);
  },
};

/** A restore of the backup into an empty directory. */
export const restore: Scenario = {
  name: "restore",
  title: "Small files, restored",
  run: async ({ runs, sizes, build, say }) => {
    const peers = [new App(build), ...packed(build), rclone, restic];
    return await compare(peers, { tree: sizes.small(), runs, what: "restore", startStorage, say });
  },
};
