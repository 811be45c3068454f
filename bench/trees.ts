/** The trees to back up. They are created once, beside a mark that they are complete, and kept for the next run. */
import { randomFillSync } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { PROJECT } from "./services/local-host.ts";
import { TREES } from "./services/scratch.ts";

export interface Tree {
  root: string;
  files: number;
  bytes: number;
  /** Bytes of files that were changed since the last backup. */
  changed?: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const PER_DIRECTORY = 1_000;

/** Files of one size with random content, 1,000 in a directory. */
export function uniformTree(files: number, size: number): Tree {
  return cached(`${files}x${size}`, (root) => {
    const chunk = Buffer.allocUnsafe(Math.min(size, 8 * MIB));
    for (let file = 0; file < files; file++) {
      const directory = path.join(root, `d${String(Math.floor(file / PER_DIRECTORY)).padStart(4, "0")}`);
      if (file % PER_DIRECTORY === 0) mkdirSync(directory);
      const handle = openSync(path.join(directory, `f${String(file).padStart(7, "0")}.bin`), "w");
      for (let written = 0; written < size; written += chunk.length) {
        writeSync(handle, randomFillSync(chunk), 0, Math.min(chunk.length, size - written));
      }
      closeSync(handle);
    }
    return { files, bytes: files * size };
  });
}

/** The first files of the project's own dependencies, which are like a real site. Links are left out. */
export function mixedTree(files: number): Tree {
  return cached(`mixed-${files}`, (root) => {
    let [copied, bytes] = [0, 0];
    const copy = (from: string, to: string): void => {
      mkdirSync(to, { recursive: true });
      const children = readdirSync(from, { withFileTypes: true }).toSorted((a, b) =>
        a.name < b.name ? -1 : 1,
      );
      for (const child of children) {
        if (copied >= files) return;
        const [source, target] = [path.join(from, child.name), path.join(to, child.name)];
        if (child.isDirectory() && child.name !== ".cache") copy(source, target);
        else if (child.isFile()) {
          copyFileSync(source, target);
          bytes += statSync(source).size;
          copied++;
        }
      }
    };
    copy(path.join(PROJECT, "node_modules"), root);
    return { files: copied, bytes };
  });
}

/** One file that takes no disk space. */
export function sparseFile(bytes: number): Tree {
  return cached(`sparse-${bytes}`, (root) => {
    const handle = openSync(path.join(root, "sparse.img"), "w");
    ftruncateSync(handle, bytes);
    closeSync(handle);
    return { files: 1, bytes };
  });
}

function cached(name: string, make: (root: string) => { files: number; bytes: number }): Tree {
  const root = path.join(TREES, name);
  const mark = `${root}.json`;
  if (!existsSync(mark)) {
    rmSync(root, { recursive: true, force: true });
    mkdirSync(root, { recursive: true });
    writeFileSync(mark, JSON.stringify(make(root)));
  }
  return { root, ...(JSON.parse(readFileSync(mark, "utf8")) as { files: number; bytes: number }) };
}
