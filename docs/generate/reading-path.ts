import { readFileSync } from "node:fs";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import { ROOT } from "./pages.ts";

const ARCHITECTURE = path.join(ROOT, "docs/architecture.md");

/** A row of a path: a file of src/, what to look for, its lines. */
const ROW = /^\| \[(src\/\S+)\]\(\S+\) \|.*\|/;
const TOTAL = /^Total: .*$/m;

/** docs/architecture.md with the lines of each file on the reader's paths counted anew, and their totals. */
export async function recounted(): Promise<string> {
  const sections = readFileSync(ARCHITECTURE, "utf8")
    .split(/^(?=#+ )/m)
    .map(recount);
  return await format(sections.join(""), { ...(await resolveConfig(ARCHITECTURE)), parser: "markdown" });
}

function recount(section: string): string {
  if (!TOTAL.test(section)) return section;
  const counts: number[] = [];
  const lines = section.split("\n").map((line) => {
    const [, file] = ROW.exec(line.replace(/ +\|/g, " |")) ?? [];
    if (file === undefined) return line;
    const count = readFileSync(path.join(ROOT, file), "utf8").split("\n").length - 1;
    counts.push(count);
    return line.replace(/[\d,]+ *\|$/, `${count} |`);
  });
  const total = counts.reduce((sum, count) => sum + count, 0).toLocaleString("en-US");
  return lines.join("\n").replace(TOTAL, `Total: ${counts.length} files, ${total} lines.`);
}
