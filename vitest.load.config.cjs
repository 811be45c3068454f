/** `npm run test:load`: how much the starter and the local host take; prints a line for each figure. */
const { defineTests, ONE_AZURITE } = require("./vitest.caches.cjs");

module.exports = defineTests({
  include: ["test/load/**/*.test.ts"],
  globalSetup: [ONE_AZURITE],
  env: { LOAD: "full" },
  // What is measured is to have the machine to itself.
  fileParallelism: false,
  disableConsoleIntercept: true,
  testTimeout: 300_000,
  hookTimeout: 60_000,
});
