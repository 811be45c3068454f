import { randomBytes } from "node:crypto";
import type { BigIntStats } from "node:fs";
import {
  chmod,
  lstat,
  lutimes,
  mkdir,
  open,
  readlink,
  rename,
  stat,
  symlink,
  unlink,
  utimes,
} from "node:fs/promises";
import path from "node:path";
import { forDisk, joinPath, parentPath, toBytes } from "../src/model/path.ts";
import { unsafePath } from "../src/model/safe-path.ts";
import type { TreeEntry } from "../client/answers.ts";
import type { Take } from "./download.ts";
import { Failure } from "./failure.ts";

type Attributes = Pick<TreeEntry, "mtime" | "mode">;

/** "unchanged": it was there already, with this size and time. */
export type Written = "written" | "unchanged";

/**
 * Writes what is in a backup below a directory of this machine, and nothing outside of it: names that lead elsewhere are
 * refused, and links that are in the way are not followed. A file appears whole, under its name, or not at all.
 */
export class LocalTree {
  readonly #top: string;
  readonly #overwrite: boolean;
  /** Directories already checked, by path. */
  readonly #known = new Map<string, Promise<void>>();
  /** Created directories, and the attributes to set at the end. */
  readonly #made = new Map<string, Attributes>();

  /** @param top absolute; created if missing */
  constructor(top: string, { overwrite = false }: { overwrite?: boolean | undefined }) {
    this.#top = top;
    this.#overwrite = overwrite;
  }

  /**
   * Each takes a path relative to the top.
   * @throws Failure, and errors of the file system
   */
  async directory(below: string, attributes: Attributes): Promise<Written> {
    assertSafe(below);
    await this.#enter(below);
    if (!this.#made.has(below)) return "unchanged";
    this.#made.set(below, attributes);
    return "written";
  }

  async file(
    below: string,
    entry: Attributes & { size: number },
    write: (take: Take) => Promise<void>,
  ): Promise<Written> {
    assertSafe(below);
    await this.#enter(parentPath(below));
    const there = await this.#there(below);
    if (there && isSameFile(there, entry)) return "unchanged";
    this.#mayReplace(there);
    await this.#put(below, async (temporary) => {
      const handle = await open(temporary, "wx", 0o600);
      try {
        await write(async (bytes) => await handle.writeFile(bytes));
        const { mode, mtime } = entry;
        if (mode !== undefined) await handle.chmod(mode & 0o777);
        if (mtime !== undefined) await handle.utimes(mtime / 1e6, mtime / 1e6);
      } finally {
        await handle.close();
      }
    });
    return "written";
  }

  async link(below: string, target: string, { mtime }: Attributes): Promise<Written> {
    assertSafe(below);
    await this.#enter(parentPath(below));
    const there = await this.#there(below);
    const to = toBytes(target);
    if (there?.isSymbolicLink() && to.equals(await readlink(this.#at(below), "buffer"))) return "unchanged";
    this.#mayReplace(there);
    await this.#put(below, async (temporary) => {
      await symlink(to, temporary);
      if (mtime !== undefined) await lutimes(temporary, mtime / 1e6, mtime / 1e6);
    });
    return "written";
  }

  /** Sets modes and times of the created directories. Call last: writing in a directory changes its time. */
  async finish(): Promise<void> {
    for (const [below, { mode, mtime }] of [...this.#made].reverse()) {
      const at = this.#at(below);
      await chmod(at, (mode ?? 0o777 & ~process.umask()) & 0o777);
      if (mtime !== undefined) await utimes(at, mtime / 1e6, mtime / 1e6);
    }
  }

  #at(below: string) {
    return forDisk(below === "" ? this.#top : `${this.#top}${path.sep}${below}`);
  }

  async #there(below: string): Promise<BigIntStats | undefined> {
    try {
      return await lstat(this.#at(below), { bigint: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  #mayReplace(there: BigIntStats | undefined): void {
    if (there?.isDirectory()) throw new Failure("a directory is in its place");
    if (there && !this.#overwrite) throw new Failure("it exists already; --overwrite replaces it");
  }

  /** Creates a directory unless it exists. @throws Failure if it is behind a link */
  async #enter(below: string): Promise<void> {
    let known = this.#known.get(below);
    if (!known) this.#known.set(below, (known = this.#make(below)));
    await known;
  }

  async #make(below: string): Promise<void> {
    if (below === "") await mkdir(forDisk(path.dirname(this.#top)), { recursive: true });
    else await this.#enter(parentPath(below));
    try {
      // Closed to others until it has its mode.
      await mkdir(this.#at(below), { mode: 0o700 });
      this.#made.set(below, {});
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      // The top is what the user says, and may be behind a link.
      const there = below === "" ? await stat(this.#at(below)) : await this.#there(below);
      if (!there?.isDirectory()) throw new Failure("a link or file is in the place of a directory above it");
    }
  }

  async #put(below: string, make: (temporary: string | Buffer) => Promise<void>): Promise<void> {
    const name = `.site-backup-${randomBytes(8).toString("hex")}`;
    const temporary = this.#at(joinPath(parentPath(below), name));
    try {
      await make(temporary);
      await rename(temporary, this.#at(below));
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
  }
}

/** @throws Failure for a name that could lie outside the directory */
function assertSafe(below: string): void {
  const why = below === "" ? undefined : unsafePath(below);
  if (why !== undefined) throw new Failure(why);
}

function isSameFile(there: BigIntStats, { size, mtime }: Attributes & { size: number }): boolean {
  if (!there.isFile() || mtime === undefined || there.size !== BigInt(size)) return false;
  // A time is set as a number of seconds, which rounds it; some file systems keep whole seconds.
  const of = Number(there.mtimeNs / 1000n);
  return Math.abs(of - mtime) <= 1 || of === Math.floor(mtime / 1e6) * 1e6;
}
