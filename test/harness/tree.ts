/**
 * Makes directory trees for tests, and reads them back.
 *
 *   await makeTree(root, { "a/b.txt": "content", "empty": directory(), "link": link("a/b.txt"), "big.bin": bytes(1e6) });
 *
 * A name is split at `/` only: backslashes, spaces and the like are part of it.
 */
import { createCipheriv, createHash } from "node:crypto";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { lstat, mkdtemp, readdir, readFile, readlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

export type TreeNode = string | Buffer | { link: string } | { directory: true };
export type TreeSpec = Record<string, TreeNode>;

/** An empty folder of its own below `parent`, default the system's folder for temporary files. */
export function makeFolder(name: string, parent = tmpdir()): Promise<string> {
  return mkdtemp(path.join(parent, `${name}-`));
}

/** In one go: a promise for each file costs five times as much as the file. */
export async function makeTree(root: string, spec: TreeSpec): Promise<string> {
  mkdirSync(root, { recursive: true });
  const made = new Set<string>();
  for (const [name, node] of Object.entries(spec)) {
    const target = path.join(root, name);
    const parent = path.dirname(target);
    if (!made.has(parent)) mkdirSync(parent, { recursive: true });
    made.add(parent);
    if (typeof node === "string" || Buffer.isBuffer(node)) writeFileSync(target, node);
    else if ("link" in node) symlinkSync(node.link, target);
    else mkdirSync(target, { recursive: true });
  }
  return root;
}

export function link(target: string): TreeNode {
  return { link: target };
}

export function directory(): TreeNode {
  return { directory: true };
}

/** Content that is the same for the same seed, and differs at every place: no two blocks of it are alike. */
export function bytes(length: number, seed = "content"): Buffer {
  const key = createHash("sha256").update(seed).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** `count` small files of differing sizes, `perDirectory` in each directory, with some empty ones among them. */
export function manyFiles(count: number, perDirectory = 50): TreeSpec {
  const spec: TreeSpec = {};
  for (let index = 0; index < count; index++) {
    const folder = `d${String(Math.floor(index / perDirectory)).padStart(3, "0")}`;
    spec[`${folder}/f${String(index).padStart(5, "0")}.txt`] = `${index}\n`.repeat(index % 97);
  }
  return spec;
}

/** A chain of directories, one in the other, each with a file. */
export function chain(depth: number, name = "deep"): TreeSpec {
  const spec: TreeSpec = {};
  let folder = name;
  for (let level = 0; level < depth; level++, folder += `/${name}`)
    spec[`${folder}/file.txt`] = `level ${level}`;
  return spec;
}

/** What stands on the disk for one blob. */
export type FileOnDisk =
  | { kind: "file"; content: Buffer; mtimeMs: number; mode: number }
  | { kind: "link"; content: Buffer; mtimeMs: number; mode: number }
  | { kind: "directory"; content: Buffer; mtimeMs: number; mode: number };

/**
 * All that a backup of the tree holds: files, links (their content is the target), and directories with nothing in
 * them. Read apart from the app's own walk, so that the two check one another.
 */
export async function readTree(root: string, below = ""): Promise<Map<string, FileOnDisk>> {
  const found = new Map<string, FileOnDisk>();
  for (const name of await readdir(path.join(root, below))) {
    const relative = below === "" ? name : `${below}/${name}`;
    const target = path.join(root, relative);
    const stats = await lstat(target);
    const common = { mtimeMs: stats.mtimeMs, mode: stats.mode & 0o7777 };
    if (stats.isFile()) found.set(relative, { kind: "file", content: await readFile(target), ...common });
    else if (stats.isSymbolicLink()) {
      const content = await readlink(target, { encoding: "buffer" });
      found.set(relative, { kind: "link", content, ...common });
    } else if (stats.isDirectory()) {
      const children = await readTree(root, relative);
      if (children.size === 0 && (await readdir(target)).length === 0) {
        found.set(relative, { kind: "directory", content: Buffer.alloc(0), ...common });
      }
      for (const [child, file] of children) found.set(child, file);
    }
  }
  return found;
}

/** A tree with its times as exact as a backup keeps them. */
export function inMicroseconds(tree: Map<string, FileOnDisk>): Map<string, FileOnDisk> {
  return new Map(
    [...tree].map(([name, file]) => [name, { ...file, mtimeMs: Math.round(file.mtimeMs * 1000) }]),
  );
}

/** The bytes of a tree's regular files: what a backup's output must be. */
export function bytesOf(tree: Map<string, FileOnDisk>): number {
  let total = 0;
  for (const file of tree.values()) if (file.kind === "file") total += file.content.length;
  return total;
}
