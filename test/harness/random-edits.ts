/** Random changes of a tree, for tests that go through whole histories of one. */
import { chmod, lutimes, mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import fc from "fast-check";
import { snapshotOf } from "../restore/tree.ts";

const name = fc.constantFrom("a", "b", "c d", "é", "A", "a.txt", "x%20y");
const place = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const content = fc.string({ maxLength: 8 });
const mode = fc.constantFrom(0o644, 0o600, 0o755, 0o640);

export type Edit =
  | { edit: "write"; path: string; content: string; mode: number }
  | { edit: "same size" | "touch" | "delete" | "to directory" | "sneak"; path: string }
  | { edit: "mode"; path: string; mode: number }
  | { edit: "rename"; path: string; to: string }
  | { edit: "link"; path: string; target: string };

const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ edit: fc.constant("write" as const), path: place, content, mode }) },
  fc.record({ edit: fc.constantFrom("same size" as const, "touch" as const), path: place }),
  fc.record({
    edit: fc.constantFrom("delete" as const, "to directory" as const, "sneak" as const),
    path: place,
  }),
  fc.record({ edit: fc.constant("mode" as const), path: place, mode }),
  fc.record({ edit: fc.constant("rename" as const), path: place, to: place }),
  fc.record({
    edit: fc.constant("link" as const),
    path: place,
    target: fc.constantFrom("a", "../b", "/etc/hosts", "nowhere"),
  }),
);
/** What happens to a tree between two backups. */
export const edits = fc.array(edit, { minLength: 1, maxLength: 5 });

/** A tree that edits are made in; each gives what it changes a later time than any before. */
export class EditedTree {
  readonly root: string;
  /** A file changed with its size and time kept since the last run: only reading it tells. */
  sneaked = false;
  /** That has ever been so. */
  everSneaked = false;
  #clock = 1_700_000_000_000_000;

  constructor(root: string) {
    this.root = root;
  }

  async apply(change: Edit): Promise<void> {
    const at = path.join(this.root, change.path);
    const now = await snapshotOf(this.root);
    const old = now.get(change.path);
    const isFile = old?.startsWith("file") ?? false;
    // A directory that is not empty is in no snapshot; what is in it is.
    const isThere = [...now.keys()].some((other) => `${other}/`.startsWith(`${change.path}/`));
    const isDirectory = isThere && (old?.startsWith("directory") ?? true);
    switch (change.edit) {
      case "write":
        await this.#clear(change.path);
        await writeFile(at, change.content);
        await chmod(at, change.mode);
        return await this.#stamp(at);
      case "same size":
        if (!isFile) return;
        await writeFile(at, flipped(old!));
        return await this.#stamp(at);
      case "sneak": {
        if (!isFile) return;
        const time = Number(old!.split(" ")[2]) / 1e6;
        await writeFile(at, flipped(old!));
        this.sneaked = this.everSneaked = true;
        return await utimes(at, time, time);
      }
      case "touch":
        return isThere ? await this.#stamp(at) : undefined;
      case "mode":
        if (!isFile && !isDirectory) return;
        return await chmod(at, isDirectory ? change.mode | 0o700 : change.mode);
      case "delete":
        if (!isThere) return;
        return await rm(at, { recursive: true, force: true });
      case "to directory":
        await this.#clear(change.path);
        await mkdir(at);
        return await this.#stamp(at);
      case "rename":
        if (
          !isThere ||
          `${change.to}/`.startsWith(`${change.path}/`) ||
          `${change.path}/`.startsWith(`${change.to}/`)
        )
          return;
        await this.#clear(change.to);
        // A file of other content may be where one of the same size and time was.
        this.sneaked ||= this.everSneaked;
        return await rename(at, path.join(this.root, change.to));
      case "link":
        await this.#clear(change.path);
        await symlink(change.target, at);
        return await this.#stamp(at);
    }
  }

  /** Makes room for a name: what is there and what is above it and no directory goes. */
  async #clear(portable: string): Promise<void> {
    const names = portable.split("/");
    const now = await snapshotOf(this.root);
    for (let depth = 1; depth < names.length; depth++) {
      const above = names.slice(0, depth).join("/");
      const node = now.get(above);
      if (node && !node.startsWith("directory")) await rm(path.join(this.root, above));
    }
    await mkdir(path.join(this.root, path.dirname(portable)), { recursive: true });
    await rm(path.join(this.root, portable), { recursive: true, force: true });
  }

  async #stamp(at: string): Promise<void> {
    this.#clock += 1_000_001;
    await lutimes(at, this.#clock / 1e6, this.#clock / 1e6);
  }
}

/** Other content of the same length. */
function flipped(node: string): Buffer {
  return Buffer.from(Buffer.from(node.split(" ")[3] ?? "", "base64").map((byte) => byte ^ 1));
}
