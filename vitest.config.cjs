const { defineTests } = require("./vitest.caches.cjs");

/** Rows that are long (test/faults/README.md): `npm run test:faults` runs them. */
const FAULTS_IN_FULL = ["02", "03", "05", "06", "07", "08", "09", "11", "12", "13", "14", "17"].map(
  (row) => `test/faults/row-${row}-*.test.ts`,
);

const common = { testTimeout: 60_000, hookTimeout: 60_000 };

module.exports = defineTests({
  // Each file has processes of its own (hosts, Azurite), which wait for one another: two keep two cores busy.
  maxWorkers: 2,
  projects: [
    {
      test: {
        ...common,
        name: "all",
        include: ["test/**/*.test.ts"],
        exclude: ["test/e2e/**", ...FAULTS_IN_FULL],
      },
    },
    // One host serves the whole suite; it is started only when files of it are run.
    {
      test: {
        ...common,
        name: "e2e",
        include: ["test/e2e/**/*.test.ts"],
        globalSetup: ["test/e2e/global-setup.ts"],
      },
    },
  ],
});
