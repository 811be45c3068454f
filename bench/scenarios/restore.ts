import type { Scenario } from "./scenario.ts";

/** Bringing a tree back; measured as soon as the app can restore. */
export const restore: Scenario = {
  name: "restore",
  title: "Small files, brought back",
  run: () => Promise.resolve([{ name: "app", figures: {}, skipped: "the app cannot restore yet" }]),
};
