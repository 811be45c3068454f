import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Results } from "../results.ts";
import { PROJECT } from "../services/local-host.ts";
import { chart } from "./chart.ts";
import { everything, summary } from "./markdown.ts";

const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";

/**
 * Writes the chart and the tables beside the results and, unless they are of the quick sizes, between the markers in
 * the documents.
 * @returns all tables
 */
export function publish(results: Results, folder: string, quick: boolean): string {
  const tables = `${everything(results)}\n`;
  writeFileSync(path.join(folder, "latest.md"), tables);
  writeFileSync(path.join(folder, "chart.svg"), chart(results));
  if (!quick) {
    fill(path.join(PROJECT, "README.md"), summary(results));
    fill(path.join(PROJECT, "docs", "performance.md"), everything(results));
  }
  return tables;
}

/** Puts the text between the markers; a document without them is left alone. */
function fill(file: string, text: string): void {
  if (!existsSync(file)) return;
  const document = readFileSync(file, "utf8");
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin === -1 || end < begin) return;
  const [head, tail] = [document.slice(0, begin + BEGIN.length), document.slice(end)];
  writeFileSync(file, `${head}\n\n${text}\n\n${tail}`);
}
