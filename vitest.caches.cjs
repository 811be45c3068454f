// CommonJS, for vite writes a bundle of any other form into node_modules/.vite-temp.
const path = require("node:path");

/** Not in node_modules, where a Functions host that runs this clone looks for changes, and restarts. */
const FOLDER = ".local/vitest";

// Hosts and workers that tests start find their code stripped and compiled: that halves what a start costs.
process.env["NODE_COMPILE_CACHE"] ??= path.resolve(".local/compile-cache");

/**
 * A configuration that keeps its caches out of the way.
 * @param {NonNullable<import("vitest/config").ViteUserConfig["test"]>} test
 */
exports.defineTests = (test) => ({
  cacheDir: FOLDER,
  test: { fsModuleCachePath: `${FOLDER}/modules`, ...test },
});

/** Starts the storage of all tests: a global setup. */
exports.ONE_AZURITE = "test/harness/one-azurite.ts";
