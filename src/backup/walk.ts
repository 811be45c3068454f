import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import pMap from "p-map";
import type { Looked } from "../files/asks.ts";
import { listTogether, lookTogether } from "../files/file-thread.ts";
import { entryKind, kindOf, locate, NotAFile } from "../files/read-file.ts";
import { withTimeout } from "../files/timeout.ts";
import { attributesOf, type Entry } from "../model/entry.ts";
import type { Filter } from "../model/filter.ts";
import { takingTurns } from "../model/in-turns.ts";
import { failed } from "../model/outcome.ts";
import { joinPath } from "../model/path.ts";
import type { Store } from "../store/store.ts";
import {
  hasEarlier,
  readNames,
  unknownName,
  unreadDirectory,
  type Children,
  type NamesRead,
  type Look,
  type SeenDirectory,
} from "./read-names.ts";

/** Names per request to the file thread. */
const TOGETHER = 256;
/** Concurrent lookups per group when the file thread is busy; they wait for the disk or the share. */
const LOOKUPS = 32;

/** Reads a tree, one directory at a time, and never outside it. */
export class Walker {
  readonly #realRoot: string;
  readonly #filter: Filter;
  readonly #store: Pick<Store, "whyNot" | "nameOf">;
  readonly #timeoutMs: number;
  readonly #turn = takingTurns();

  /** @param store says which names it can hold */
  constructor(realRoot: string, filter: Filter, store: Pick<Store, "whyNot" | "nameOf">, timeoutMs: number) {
    this.#realRoot = realRoot;
    this.#filter = filter;
    this.#store = store;
    this.#timeoutMs = timeoutMs;
  }

  /** Reads directories, small ones in batches; see readDirectory. */
  async *readDirectories(portables: readonly string[]): AsyncGenerator<Children | Look> {
    const listed = await listTogether(this.#realRoot, portables);
    for (const [at, portable] of portables.entries()) {
      const read = listed[at];
      yield await (read
        ? this.#childrenOf(portable, { ...read, withTypes: true })
        : this.readDirectory(portable));
    }
  }

  /**
   * Reads one directory. Links are not followed.
   * @returns its children; what the name is now, if it is no longer a directory; or why it could not be read
   */
  async readDirectory(portable: string): Promise<Children | Look> {
    let directory: NamesRead;
    try {
      directory = await readNames(this.#realRoot, portable, this.#timeoutMs);
    } catch (error) {
      const look = error instanceof NotAFile && portable !== "" ? await this.look(portable) : undefined;
      return look && !("directory" in look) ? look : { outcome: unreadDirectory(portable, error) };
    }
    return await this.#childrenOf(portable, directory);
  }

  async #childrenOf(portable: string, { stats, names, withTypes }: NamesRead): Promise<Children> {
    const { dev, ino } = stats;
    const own = { path: portable, ...attributesOf(stats), dev, ino };
    const children: Children = { directories: [], files: [], empty: names.length === 0, own };
    for (const { name, isDirectory } of names) {
      const child = joinPath(portable, name);
      if (isDirectory) {
        if (await this.#takes("directory", child)) children.directories.push(child);
      } else if (!withTypes || (await this.#takes("file", child))) children.files.push(child);
    }
    return children;
  }

  /** The filter's decision, which may take time to compute. */
  async #takes(what: "file" | "directory" | "emptyDirectory", portable: string): Promise<boolean> {
    await this.#turn();
    return this.#filter[what](portable);
  }

  /** Looks up names in batches; see look. */
  async lookAll(names: readonly string[]): Promise<Look[]> {
    const groups = Array.from({ length: Math.ceil(names.length / TOGETHER) }, (_, group) =>
      names.slice(group * TOGETHER, (group + 1) * TOGETHER),
    );
    const lookAt = async (group: readonly string[]): Promise<Look[]> => {
      const looked = await lookTogether(this.#realRoot, group);
      return await pMap(group, (name, at) => this.look(name, looked[at]), { concurrency: LOOKUPS });
    };
    // The thread looks at one group while this one settles another.
    return (await pMap(groups, lookAt, { concurrency: 2 })).flat();
  }

  /**
   * Looks up one name: what it is, its size and times, and whether the destination can hold it.
   * @param looked what is known of it already
   */
  async look(portable: string, looked?: Looked): Promise<Look> {
    let stats: Looked | Stats | undefined = looked;
    try {
      stats ??= await withTimeout(lstat(locate(this.#realRoot, portable)), this.#timeoutMs, "looking it up");
    } catch (error) {
      return { outcome: unknownName(portable, error) };
    }
    const kind = "isFile" in stats ? entryKind(stats) : "file";
    if (kind === "directory")
      return (await this.#takes("directory", portable)) ? { directory: portable } : undefined;
    if (!(await this.#takes("file", portable))) return undefined;
    if (kind === "other") {
      const reason = kindOf(stats as Stats);
      return { outcome: { path: portable, outcome: "skipped", kind, size: 0, reason } };
    }
    const size = kind === "file" ? stats.size : 0;
    return await this.#settle({ path: portable, kind, size, ...attributesOf(stats) });
  }

  /** An empty directory, which is backed up as such; undefined if the filter leaves it out. */
  async emptyDirectory({ path: portable, mtime, ctime, mode }: SeenDirectory): Promise<Look> {
    if (!(await this.#takes("emptyDirectory", portable))) return undefined;
    return await this.#settle({ path: portable, kind: "directory", size: 0, mtime, ctime, mode });
  }

  /** An entry to copy, or a failure if the destination cannot hold its name. */
  async #settle(entry: Entry): Promise<Look> {
    const { path: portable } = entry;
    const why = this.#store.whyNot(portable);
    if (why !== undefined) return { outcome: failed(entry, why) };
    const name = this.#store.nameOf(portable);
    if (name !== portable && (await hasEarlier(this.#realRoot, portable, name, this.#timeoutMs))) {
      return { outcome: failed(entry, 'Blob Storage turns "\\" into "/", and another file has that name') };
    }
    return { entry };
  }
}
