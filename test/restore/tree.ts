import { lstat, mkdir, readdir, readFile, readlink, utimes, writeFile } from "node:fs/promises";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";

/** What one name of a tree is, as far as a backup keeps it. */
export type Node = string;

/**
 * A tree as a map of names: kind, mode, time in microseconds, and content. Directories that
 * are not empty are in directoriesOf.
 */
export async function snapshotOf(root: string): Promise<Map<string, Node>> {
  const tree = new Map<string, Node>();
  const walk = async (portable: string): Promise<void> => {
    for (const name of (await readdir(path.join(root, portable))).sort()) {
      const below = portable === "" ? name : `${portable}/${name}`;
      const absolute = path.join(root, below);
      const stats = await lstat(absolute);
      const time = Math.round(stats.mtimeMs * 1000);
      const mode = (stats.mode & 0o777).toString(8);
      if (stats.isSymbolicLink()) tree.set(below, `link ${time} ${await readlink(absolute)}`);
      else if (stats.isFile()) {
        tree.set(below, `file ${mode} ${time} ${(await readFile(absolute)).toString("base64")}`);
      } else if (stats.isDirectory()) {
        const empty = (await readdir(absolute)).length === 0;
        if (empty) tree.set(below, `directory ${mode} ${time}`);
        else await walk(below);
      } else tree.set(below, "other");
    }
  };
  await walk("");
  return tree;
}

/** The directories of a tree that are not empty, with mode and time in microseconds. */
export async function directoriesOf(root: string): Promise<Map<string, Node>> {
  const found = new Map<string, Node>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const absolute = path.join(entry.parentPath, entry.name);
    if ((await readdir(absolute)).length === 0) continue;
    const { mode, mtimeMs } = await lstat(absolute);
    found.set(path.relative(root, absolute), `${(mode & 0o777).toString(8)} ${Math.round(mtimeMs * 1000)}`);
  }
  return found;
}

/** In memory where there is such a place: a restore flushes what it writes, which takes a disk longer than all the rest. */
export const IN_MEMORY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A directory that is removed after the test. */
export function temporary(parent = tmpdir()): string {
  const directory = mkdtempSync(path.join(parent, "restore-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes files by name; a time in microseconds since 1970 if given. */
export async function write(root: string, files: Record<string, string>, time?: number): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    if (time !== undefined) await utimes(file, time / 1e6, time / 1e6);
  }
}
