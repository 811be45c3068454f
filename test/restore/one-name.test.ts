/** Names that some file systems take for one. Where that happens cannot be had on every system: the rule is tested by itself. */
import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { ManifestItem } from "../../src/manifest/line.ts";
import { clashes, clashesIn } from "../../src/files/one-name.ts";
import { probeNames } from "../../src/restore/make-target.ts";
import { temporary } from "./tree.ts";

const [NFC, NFD] = ["caf\u00e9", "cafe\u0301"];

/** Items of which a name with a slash at its end is an empty directory. */
function itemsOf(...names: string[]): Pick<ManifestItem, "path" | "kind">[] {
  return names.map((name) =>
    name.endsWith("/")
      ? { path: name.slice(0, -1), kind: "directory" as const }
      : { path: name, kind: "file" as const },
  );
}

describe("what clashes where case is ignored", () => {
  it.each([
    [["Name", "name", "NAME", "other"], { name: "Name", NAME: "Name" }],
    [["d/a", "D/A", "D/b"], { "D/A": "d/a" }],
    [["a", "A/x"], { a: "A" }],
    [["A/x", "a"], { a: "A" }],
    [["A/x", "a/y"], {}],
    [["A/", "a/", "A/x"], {}],
    [["A/", "a"], { a: "A" }],
    [["Ä", "ä"], { ä: "Ä" }],
    [[NFC, NFD], {}],
  ])("%j", (names, expected) => {
    const found = clashes(itemsOf(...names), { case: true, form: false });
    expect(Object.fromEntries([...found].map(([item, other]) => [item.path, other]))).toEqual(expected);
  });
});

it("the form of Unicode tells names apart, or not", () => {
  const items = itemsOf(NFC, NFD, "A", "a");
  expect([...clashes(items, { case: false, form: true }).values()]).toEqual([NFC]);
  expect([...clashes(items, { case: true, form: true }).values()]).toEqual([NFC, "A"]);
  expect(clashes(items, { case: false, form: false }).size).toBe(0);
});

it.runIf(process.platform === "linux")(
  "a file system that tells all apart is found to, and nothing is left of that",
  async () => {
    const realTo = temporary();
    const items = itemsOf("A", "a", NFC, NFD);
    expect((await clashesIn(items, () => probeNames(realTo))).size).toBe(0);
    expect(await readdir(realTo)).toEqual([]);
  },
);
