// npm run docs: writes docs/reference/*.md from the code, and counts the lines of the reader's path in docs/architecture.md.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pages, ROOT } from "./pages.ts";
import { recounted } from "./reading-path.ts";

const written = [...(await pages()), ["docs/architecture.md", await recounted()] as const];

for (const [name, text] of written) {
  const file = path.join(ROOT, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stdout.write(`${name}\n`);
}
