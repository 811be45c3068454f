/**
 * `npm test` runs what a person waits for, `npm run test:slow` the files that end in .slow.test.ts: long models, faults that
 * wait, the browser in every state.
 */
const { BaseSequencer } = require("vitest/node");
const { defineTests, ONE_AZURITE } = require("./vitest.caches.cjs");

const common = {
  // What takes longer hangs, on a machine that is busy with other things as well.
  testTimeout: 180_000,
  hookTimeout: 120_000,
  // What a worker has loaded for one file it has for the next: that saves a second of a core each.
  isolate: false,
};
const azurite = { globalSetup: [ONE_AZURITE] };
// One host serves the whole suite.
const host = { globalSetup: ["test/e2e/global-setup.ts"] };

const [FAST, SLOW] = ["**/*.test.ts", "**/*.slow.test.ts"];

/** Load an app, which a process can do once. */
const ALONE = [
  "functions/registered",
  "contract/rpc",
  "contract/sdk-replay",
  "local/engine-model",
  "local/set-aside",
].map((name) => `test/${name}.test.ts`);

/** Rows that take minutes, or real retries (test/faults/README.md): only `npm run test:faults` runs them. */
const FAULTS_IN_FULL = "test/faults/row-{06,07,08,12,13,17}-*.test.ts";

/**
 * On a fresh clone, where no times are known, vitest begins with the largest files. These take longest and are among the smallest:
 * at the end one of them would be waited for alone.
 */
const LONG = new RegExp(
  `/test/(${[
    "(restore|manifest)/model",
    "manifest/many",
    "package/package",
    "dashboard/dashboard",
    "faults/row-01-.*",
    "prune/(races|kill)",
  ].join("|")})\\.(slow\\.)?test\\.ts$`,
);

class LongFirst extends BaseSequencer {
  /** @param {import("vitest/node").TestSpecification[]} files @override */
  async sort(files) {
    const projects = Object.groupBy(await super.sort(files), ({ project }) => project.name);
    return Object.values(projects).flatMap((sorted = []) => [
      ...sorted.filter(({ moduleId }) => LONG.test(moduleId)),
      ...sorted.filter(({ moduleId }) => !LONG.test(moduleId)),
    ]);
  }
}

module.exports = defineTests({
  sequence: { sequencer: LongFirst },
  // Each file has processes of its own, which wait for one another: two keep two cores busy.
  maxWorkers: 2,
  projects: [
    {
      test: {
        ...common,
        ...azurite,
        name: "fast",
        include: [`test/${FAST}`],
        exclude: [`test/${SLOW}`, "test/{e2e,load}/**", ...ALONE],
      },
    },
    { test: { ...common, name: "fast-alone", include: ALONE, isolate: true } },
    {
      test: { ...common, ...host, name: "e2e", include: [`test/e2e/${FAST}`], exclude: [`test/e2e/${SLOW}`] },
    },
    {
      test: {
        ...common,
        ...azurite,
        name: "slow",
        include: [`test/${SLOW}`],
        exclude: ["test/e2e/**", FAULTS_IN_FULL],
        env: { SLOW: "1" },
      },
    },
    { test: { ...common, ...host, name: "e2e-slow", include: [`test/e2e/${SLOW}`] } },
  ],
});
