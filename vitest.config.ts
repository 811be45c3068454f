import { defineConfig } from "vitest/config";

const common = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    projects: [
      { test: { ...common, name: "all", include: ["test/**/*.test.ts"], exclude: ["test/e2e/**"] } },
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
  },
});
