import { figure } from "../measure/statistics.ts";
import { PACKS } from "../peers/app.ts";
import type { Row } from "../results.ts";
import { noSink } from "../services/sink.ts";
import type { Tree } from "../trees.ts";
import { backUpToSink, type SinkRun } from "./against-sink.ts";
import type { Bench, Scenario } from "./scenario.ts";

/** The cost of a file as the tree grows. */
export const growth: Scenario = {
  name: "growth",
  title: "Growth: tiny files, storage that costs nothing",
  run: async (bench) => {
    const { sizes } = bench;
    return await measureEach(
      bench,
      sizes.growth.map((files) => ({
        name: `${files.toLocaleString("en")} files`,
        tree: () => sizes.growthTree(files),
      })),
    );
  },
};

/** The same in packs. A second backup cannot be measured so: it looks for the packs of the first. */
export const growthPacks: Scenario = {
  name: "growth-packs",
  title: "Growth in packs: the same files, storage that costs nothing",
  run: async (bench) => {
    const { sizes } = bench;
    const subjects = sizes.growth.map((files) => ({
      name: `${files.toLocaleString("en")} files`,
      tree: () => sizes.growthTree(files),
      layout: PACKS,
    }));
    return await measureEach(bench, subjects);
  },
};

/** A second backup of the largest tree, in which nothing has changed. */
export const growthUnchanged: Scenario = {
  name: "growth-unchanged",
  title: "The largest of these trees again, nothing changed, by the record of the first backup",
  run: async (bench) => {
    const files = bench.sizes.growth.at(-1)!;
    const subject = {
      name: `${files.toLocaleString("en")} files`,
      tree: () => bench.sizes.growthTree(files),
    };
    return await measureEach(bench, [{ ...subject, again: true }]);
  },
};

/** One file much larger than memory. */
export const huge: Scenario = {
  name: "huge",
  title: "One huge sparse file, storage that costs nothing",
  run: async (bench) => await measureEach(bench, [{ name: "1 file", tree: () => bench.sizes.huge() }]),
};

export const hugePacks: Scenario = {
  name: "huge-packs",
  title: "One huge sparse file in packs, storage that costs nothing",
  run: async (bench) =>
    await measureEach(bench, [{ name: "1 file", tree: () => bench.sizes.hugest(), layout: PACKS }]),
};

async function measureEach(
  { build, runs, say }: Bench,
  subjects: readonly { name: string; again?: boolean; layout?: typeof PACKS; tree: () => Tree }[],
): Promise<Row[]> {
  const skipped = noSink();
  if (skipped !== undefined) return subjects.map(({ name }) => ({ name, figures: {}, skipped }));
  const rows: Row[] = [];
  for (const subject of subjects) {
    const tree = subject.tree();
    const done: SinkRun[] = [];
    let failed: string | undefined;
    for (let round = 0; round < runs && failed === undefined; round++) {
      try {
        const run = await backUpToSink(build, tree, subject);
        done.push(run);
        say(`  ${subject.name}: ${run.seconds.toFixed(2)} s, at most ${run.peakMB?.toFixed(0) ?? "?"} MB`);
      } catch (error) {
        failed = error instanceof Error ? error.message : String(error);
      }
    }
    rows.push({
      name: subject.name,
      figures: failed === undefined ? figuresOf(done, tree) : {},
      ...(failed === undefined ? {} : { failed }),
    });
  }
  return rows;
}

function figuresOf(runs: readonly SinkRun[], tree: Tree): Row["figures"] {
  const of = (value: (run: SinkRun) => number) => figure(runs.map(value));
  return {
    seconds: of(({ seconds }) => seconds),
    millisecondsPerFile: of(({ seconds }) => (seconds * 1000) / tree.files),
    mibPerSecond: of(({ seconds }) => tree.bytes / 1024 ** 2 / seconds),
    peakMB: of(({ peakMB }) => peakMB ?? Number.NaN),
    longestHistory: of(({ durable }) => durable.longestHistory),
    durableOperationsPerFile: of(({ durable }) => (durable.activities + durable.turns) / tree.files),
    storageOperationsPerFile: of(({ requests }) => requests / tree.files),
    requests: of(({ requests }) => requests),
  };
}
