import path from "node:path";
import prettier from "prettier";
import { apiPage } from "./api.ts";
import { cliPage } from "./cli.ts";
import { settingsPage } from "./settings.ts";

/** The repository. */
export const ROOT = path.resolve(import.meta.dirname, "../..");

/** The pages of the reference by their paths in the repository, as they should be. */
export async function pages(): Promise<Map<string, string>> {
  const made = { "settings.md": settingsPage(), "api.md": apiPage(), "cli.md": cliPage() };
  const options = await prettier.resolveConfig(path.join(ROOT, "docs", "reference", "api.md"));
  const formatted = Object.entries(made).map(
    async ([name, text]) =>
      [`docs/reference/${name}`, await prettier.format(text, { ...options, parser: "markdown" })] as const,
  );
  return new Map(await Promise.all(formatted));
}
