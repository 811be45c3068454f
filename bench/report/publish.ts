import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import type { Results } from "../results.ts";
import { PROJECT } from "../services/local-host.ts";
import { chart } from "./chart.ts";
import { everything } from "./markdown.ts";

const DOCS = path.join(PROJECT, "docs");
const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";

/**
 * Writes the tables beside the results and, except with the quick sizes, the chart in README.md and the tables
 * between the markers in docs/performance.md.
 * @returns all tables
 */
export async function publish(results: Results, folder: string, quick: boolean): Promise<string> {
  const tables = await formatted(everything(results));
  writeFileSync(path.join(folder, "latest.md"), tables);
  writeFileSync(
    quick ? path.join(folder, "chart.svg") : path.join(DOCS, "images", "speed.svg"),
    chart(results),
  );
  if (!quick) await fill(path.join(DOCS, "performance.md"), tables);
  return tables;
}

/** Puts the text between the markers; leaves a document without them alone. */
async function fill(file: string, text: string): Promise<void> {
  if (!existsSync(file)) return;
  const document = readFileSync(file, "utf8");
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin === -1 || end < begin) return;
  const [head, tail] = [document.slice(0, begin + BEGIN.length), document.slice(end)];
  writeFileSync(file, await formatted(`${head}\n\n${text}\n\n${tail}`));
}

/** Formats like the project, so that `npm run format:check` accepts the results. */
async function formatted(markdown: string): Promise<string> {
  return await format(markdown, {
    ...(await resolveConfig(path.join(DOCS, "performance.md"))),
    parser: "markdown",
  });
}
