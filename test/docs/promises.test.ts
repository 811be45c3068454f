/** What is promised names the test that holds it: in the threat model, in the table of faults and on the front page. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The rows of the tables under headings that match, without their heads. */
function rowsOf(text: string, heading: RegExp): string[] {
  return text.split(/^(?=#+ )/m).flatMap((section) => {
    if (!heading.test(section.split("\n", 1)[0] ?? "")) return [];
    return section
      .split("\n")
      .filter((line) => line.startsWith("| ") && !/^\| *(cannot|promise|#|-)/.test(line));
  });
}

it.each([
  ["docs/security.md", /With |On the same machine|attacker/, 20],
  ["test/faults/README.md", /^# Faults/, 17],
  ["README.md", /What it promises/, 10],
])("each row of %s links a test that is there; of README.md, one of npm test", (file, heading, least) => {
  const rows = rowsOf(readFileSync(path.join(ROOT, file), "utf8"), heading);
  expect(rows.length).toBeGreaterThanOrEqual(least);
  for (const row of rows) {
    const links = [...row.matchAll(/\]\(([^)#]+\.ts)\)/g)].map(([, link]) => link!);
    const enough = file === "README.md" ? links.filter((link) => !link.includes(".slow.")) : links;
    expect(enough.length, row).toBeGreaterThan(0);
    for (const link of links) expect(existsSync(path.join(ROOT, path.dirname(file), link)), link).toBe(true);
  }
});
