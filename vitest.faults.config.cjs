/** `npm run test:faults`: every row of test/faults/README.md in full, one file at a time. */
const { defineTests, ONE_AZURITE } = require("./vitest.caches.cjs");

/** Rows, or parts of rows, that have their place elsewhere. */
const ELSEWHERE = [
  "test/backup/durability.slow.test.ts",
  "test/backup/delivered-twice.test.ts",
  "test/backup/changing-files.test.ts",
  "test/backup/permissions.test.ts",
  "test/backup/names.test.ts",
  "test/backup/big-tree.slow.test.ts",
  "test/manifest/model.slow.test.ts",
  "test/restore/model.slow.test.ts",
  "test/restore/kill.slow.test.ts",
  "test/restore/full.slow.test.ts",
  "test/restore/hostile.test.ts",
  "test/local/durability.slow.test.ts",
  "test/local/store.test.ts",
  "test/local/timers.slow.test.ts",
  "test/local/timer-clock.test.ts",
  "test/prune/races.slow.test.ts",
  "test/prune/kill.slow.test.ts",
];

module.exports = defineTests({
  include: ["test/faults/**/*.test.ts", ...ELSEWHERE],
  globalSetup: [ONE_AZURITE],
  env: { FAULTS: "full" },
  // What a row counts is timed, too: nothing else is to run beside it.
  fileParallelism: false,
  disableConsoleIntercept: true,
  testTimeout: 1_800_000,
  hookTimeout: 120_000,
});
