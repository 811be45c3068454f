// npm run docs: writes the reference, docs/reference/*.md, from the code.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pages, ROOT } from "./pages.ts";

for (const [name, text] of await pages()) {
  const file = path.join(ROOT, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stdout.write(`${name}\n`);
}
