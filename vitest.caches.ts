import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Not in node_modules, where a Functions host that runs this clone looks for changes, and restarts. */
const FOLDER = ".local/vitest";

/** A configuration that keeps its caches out of the way. The scripts of package.json load it with `--configLoader native`. */
export function defineTests(test: NonNullable<ViteUserConfig["test"]>): ViteUserConfig {
  return defineConfig({ cacheDir: FOLDER, test: { fsModuleCachePath: `${FOLDER}/modules`, ...test } });
}
