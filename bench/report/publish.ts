import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import type { Results } from "../results.ts";
import { PROJECT } from "../services/local-host.ts";
import { chart } from "./chart.ts";
import { everything, summary } from "./markdown.ts";

const PROJECT_FILE = path.join(PROJECT, "README.md");
const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";

/**
 * Writes the chart and the tables beside the results and, unless they are of the quick sizes, between the markers in
 * the documents.
 * @returns all tables
 */
export async function publish(results: Results, folder: string, quick: boolean): Promise<string> {
  const tables = await formatted(everything(results));
  writeFileSync(path.join(folder, "latest.md"), tables);
  writeFileSync(path.join(folder, "chart.svg"), chart(results));
  if (!quick) {
    await fill(path.join(PROJECT, "README.md"), summary(results));
    await fill(path.join(PROJECT, "docs", "performance.md"), everything(results));
  }
  return tables;
}

/** Puts the text between the markers; a document without them is left alone. */
async function fill(file: string, text: string): Promise<void> {
  if (!existsSync(file)) return;
  const document = readFileSync(file, "utf8");
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin === -1 || end < begin) return;
  const [head, tail] = [document.slice(0, begin + BEGIN.length), document.slice(end)];
  writeFileSync(file, await formatted(`${head}\n\n${text}\n\n${tail}`));
}

/** As the rest of the project is formatted, so that the check of that does not stumble over results. */
async function formatted(markdown: string): Promise<string> {
  return await format(markdown, { ...(await resolveConfig(PROJECT_FILE)), parser: "markdown" });
}
