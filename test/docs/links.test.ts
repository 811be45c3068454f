/** What the documents lead to is there. */
import { globSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");
const documents = globSync(["*.md", "{docs,bench,local,test,infra}/**/*.md"], { cwd: ROOT });

it.each(documents)("%s leads nowhere that is not there", (document) => {
  const broken = linksOf(textOf(document)).filter((link) => {
    const [target = "", anchor] = link.split("#");
    const file = target === "" ? document : path.join(path.dirname(document), decodeURI(target));
    if (!existsSync(path.join(ROOT, file))) return true;
    return anchor !== undefined && file.endsWith(".md") && !anchorsOf(textOf(file)).has(anchor);
  });
  expect(broken).toEqual([]);
});

it.each(documents)("%s names what is in the file that it points to", (document) => {
  const wrong = [...textOf(document).matchAll(/`(\w+)`\s\(\[`[^`]+`\]\(([^)#]+\.ts)\)/g)].filter(
    ([, name = "", link = ""]) => {
      const file = path.join(ROOT, path.dirname(document), link);
      return !new RegExp(`\\b${name}\\b`).test(readFileSync(file, "utf8"));
    },
  );
  expect(wrong.map(([all]) => all)).toEqual([]);
});

/** A document without what it quotes. */
function textOf(document: string): string {
  return readFileSync(path.join(ROOT, document), "utf8").replace(/^```.*?^```/gms, "");
}

/** Those within the repository. */
function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** As GitHub names headings; and those that a document sets itself. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
  return new Set([...headings, ...[...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = ""]) => id)]);
}
