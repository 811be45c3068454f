/** A dry run of a restore changes nothing, and nothing that it can come to in the code could. */
import { readFileSync } from "node:fs";
import { lstat, mkdir, readdir, symlink } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openScratchFile } from "../../src/files/scratch-file.ts";
import { makeOld } from "../manifest/old-record.ts";
import { Drive, startDrive } from "../harness/drive.ts";
import { temporary, write } from "../restore/tree.ts";

const { azurite, drive } = startDrive();
const FUNCTIONS = new URL("../../src/functions/", import.meta.url);

/** All of the app's modules that a module can call, by name, with what each takes from the file system's. */
function callable(start: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const pending = [fileURLToPath(new URL(start, FUNCTIONS))];
  for (const file of pending) {
    if (found.has(file)) continue;
    const takes: string[] = [];
    found.set(file, takes);
    const text = readFileSync(file, "utf8");
    for (const [, names = "", from = ""] of text.matchAll(/^import (?!type )([^;]*?) from "([^"]+)";/gms)) {
      if (from.startsWith(".")) pending.push(path.join(path.dirname(file), from));
      if (!/^(node:)?fs/.test(from)) continue;
      const [, all] = /^\* as (\w+)$/.exec(names) ?? [];
      const used =
        all === undefined ? names.split(/[{},\s]+/) : (text.match(RegExp(`\\b${all}\\b\\.\\w+`, "g")) ?? []);
      takes.push(...used.map((name) => name.replace(`${all}.`, "")));
    }
  }
  return found;
}

const WRITES =
  /^(append|chmod|chown|copy|cp|create|lchmod|lchown|link|lutimes|mkd|rename|rm|symlink|truncate|unlink|utimes|write)/;

/** The file thread writes what it is asked to, by message. */
const asksToWrite = (module: string): boolean => module.endsWith("/ask-thread.ts");

test("the activities of a dry run reach no code that writes to a file system", () => {
  const modules = callable("preview.activities.ts");
  expect(modules.size).toBeGreaterThan(30);
  const writing = [...modules].flatMap(([module, takes]) =>
    takes.some((name) => WRITES.test(name)) ? [path.basename(module)] : [],
  );
  // It is given no path: it writes a file without a name in the system's temporary directory, where a run of an older release is sorted.
  expect(writing).toEqual(["scratch-file.ts"]);
  expect(openScratchFile).toHaveLength(0);
  expect([...modules.keys()].filter(asksToWrite)).toEqual([]);
});

test("the check finds what the activities of a restore write by", () => {
  const modules = callable("restore.activities.ts");
  const writes = [...modules.values()].flat().filter((name) => WRITES.test(name));
  expect([...modules.keys()].filter(asksToWrite)).toHaveLength(1);
  expect(writes).toEqual(expect.arrayContaining(["mkdir", "rename", "rmdir", "unlink", "chmod", "utimes"]));
});

/** Whatever is done to a name, or in a directory, changes one of its times. */
async function allOf(root: string): Promise<Map<string, string>> {
  const names = (await readdir(root, { recursive: true })).sort();
  const stats = names.map((name) => lstat(path.join(root, name), { bigint: true }));
  const told = (await Promise.all(stats)).map((it) => `${it.ino} ${it.mode} ${it.ctimeNs} ${it.mtimeNs}`);
  return new Map(names.map((name, index) => [name, told[index] ?? ""]));
}

test("a dry run of everything leaves everything as it was, to the times of the directories", async () => {
  const root = temporary();
  await write(root, { "a/b": "b", "d/file": "f", same: "s", other: "o", large: "x".repeat(30) });
  await write(root, { "e/Name": "1", "e/name": "2" });
  await mkdir(path.join(root, "empty"));
  await symlink("same", path.join(root, "link"));
  const { run } = await drive.backup({ root });
  const divided = new Drive(azurite.service, { largeFile: 20, listMs: 0, listFiles: 3 });
  const place = temporary();
  const to = path.join(place, "to");
  await write(to, { a: "a file", "link/full": "l", "d/extra": "e", same: "s", other: "another" });
  await mkdir(path.join(to, "x/y"), { recursive: true });

  const { run: old } = await drive.backup({ root });
  await makeOld(azurite.service, old, "all");
  const before = await allOf(place);
  const deleted: number[] = [];
  for (const request of [
    {},
    { delete: true },
    { delete: true, overwrite: "always" },
    { overwrite: "never" },
    { include: ["/a/b"], delete: true },
    { to: path.join(place, "made/below") },
    { delete: true, run: old },
  ]) {
    const restored = await divided.restore({ run, to, dryRun: true, ...request });
    expect(restored.tally.stopped).toBeUndefined();
    expect(await allOf(place)).toEqual(before);
    deleted.push(restored.deleted);
  }
  expect(deleted).toEqual([0, 6, 6, 0, 0, 0, 6]);
});
