import type { Stats } from "node:fs";
import { awaitingHandles, fileError } from "../files/errors.ts";
import { PinnedDirectory, type Name } from "../files/pinned-directory.ts";
import { tidyInTime, withTimeout } from "../files/timeout.ts";
import type { Known, RunNames } from "../manifest/run-names.ts";
import type { Selection } from "../model/filter.ts";
import { takingTurns } from "../model/in-turns.ts";
import { compareKeys } from "../model/order.ts";
import { failed, type Outcome } from "../model/outcome.ts";
import { joinPath } from "../model/path.ts";

export interface Eraser {
  /** Opens a directory to remove something from it; see PinnedDirectory.open. */
  open(realTo: string, portable: string): Promise<PinnedDirectory>;
  /** Removes a file, a link or an empty directory, if it is there. */
  remove(from: PinnedDirectory, name: string, kind: "file" | "directory"): Promise<void>;
  /** Restores the time of a directory that something was removed from. */
  keepTime(directory: PinnedDirectory, before: Stats): Promise<void>;
}

interface Options {
  inTheWay: boolean;
  until: number;
  fileTimeoutMs: number;
}

/** A name in a directory of the target. */
interface Met {
  directory: PinnedDirectory;
  child: Name;
  portable: string;
  /** See #walk. */
  all: boolean;
  /** What the run has by that name. */
  known: Known | undefined;
}

/** Walks a directory in the order of its names, and removes what is extra. */
export class ExtraWalk {
  readonly deleted: { path: string; kind: "file" | "directory" }[] = [];
  readonly failures: Outcome[] = [];
  /** Where time ran out; undefined if the walk finished. */
  reached: string | undefined;
  /** In a dry run: the directories above `reached` in which everything before it would be gone. */
  readonly emptied: string[] = [];
  #emptiedBefore: ReadonlySet<string> = new Set();
  #last = "";
  readonly #realTo: string;
  readonly #names: RunNames;
  readonly #selections: Selection[];
  readonly #options: Options;
  readonly #erase: Eraser | undefined;
  readonly #turn = takingTurns();

  /** @param erase undefined in a dry run, so that nothing in it can delete */
  constructor(
    realTo: string,
    names: RunNames,
    selections: Selection[],
    options: Options,
    erase: Eraser | undefined,
  ) {
    this.#realTo = realTo;
    this.#names = names;
    this.#selections = selections;
    this.#options = options;
    this.#erase = erase;
  }

  /** @param last where the walk before this one ended */
  async run(last: { reached?: string; emptied?: string[] } | undefined): Promise<void> {
    this.#emptiedBefore = new Set(last?.emptied);
    await this.#walk("", last?.reached?.split("/") ?? [], !this.#options.inTheWay);
  }

  /**
   * @param all whether everything extra in it is removed, or only what is in the way
   * @returns whether everything in it was removed
   */
  async #walk(portable: string, after: readonly string[], all: boolean): Promise<boolean> {
    const entered = await this.#enter(portable);
    // Another delivery of this activity has removed it, or somebody else.
    if (entered === "gone") return true;
    if (!entered) return false;
    const { directory, stats, children } = entered;
    const before = this.deleted.length;
    try {
      const known = await this.#names.of(
        portable,
        children.map(({ name }) => name),
      );
      let empty = true;
      for (const child of children) {
        await this.#turn();
        const [done] = after;
        if (done !== undefined && (child.name < done || (child.name === done && after.length === 1))) {
          // A slice before has kept it, or in a dry run only reported it.
          empty = this.#emptiedBefore.has(portable);
          continue;
        }
        const below = joinPath(portable, child.name);
        if (performance.now() > this.#options.until && this.#last !== "" && this.#last !== below) {
          this.reached ??= this.#last;
          return this.#stop(portable, empty);
        }
        const met = { directory, child, portable: below, all, known: known.get(child.name) };
        const removed = child.isDirectory
          ? await this.#directory(met, child.name === done ? after.slice(1) : [])
          : await this.#file(met);
        if (this.reached !== undefined) return this.#stop(portable, empty);
        this.#last = below;
        if (!removed) empty = false;
      }
      return empty;
    } finally {
      if (this.#erase && this.deleted.length > before)
        await this.#timed(this.#erase.keepTime(directory, stats)).catch(() => undefined);
      await tidyInTime(directory.close(), this.#options.fileTimeoutMs);
    }
  }

  /** Keeps for the next slice what a real run would leave on the disk. */
  #stop(portable: string, empty: boolean): false {
    if (!this.#erase && empty) this.emptied.push(portable);
    return false;
  }

  /** Opens a directory and reads its names, in order; "gone" if there is none, undefined if it cannot. */
  async #enter(portable: string) {
    let directory: PinnedDirectory | undefined;
    try {
      directory = await awaitingHandles(() => this.#open(portable));
      const stats = await this.#timed(directory.stat());
      const children = await awaitingHandles(() => this.#timed(directory!.names(true)));
      return { directory, stats, children: children.sort((a, b) => compareKeys(a.name, b.name)) };
    } catch (error) {
      if (directory) await tidyInTime(directory.close(), this.#options.fileTimeoutMs);
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "gone";
      this.#fail(portable, "directory", error);
      return undefined;
    }
  }

  async #file({ directory, child: { name }, portable, all, known }: Met): Promise<boolean> {
    if (known === "file" || known === "missed" || (!all && known !== "directory")) return false;
    if (!this.#selections.every((selection) => selection.file(portable))) return false;
    return await this.#remove(portable, "file", directory, name);
  }

  async #directory(
    { directory, child: { name }, portable, all, known }: Met,
    after: readonly string[],
  ): Promise<boolean> {
    if (known === "missed" || (!all && known === undefined)) return false;
    if (!this.#selections.every((selection) => selection.mayBeIn(portable))) return false;
    const emptied = await this.#walk(portable, after, all || known === "file");
    if (!emptied || this.reached !== undefined || known === "directory") return false;
    if (!this.#selections.every((selection) => selection.directory(portable))) return false;
    return await this.#remove(portable, "directory", directory, name);
  }

  async #remove(
    portable: string,
    kind: "file" | "directory",
    from: PinnedDirectory,
    name: string,
  ): Promise<boolean> {
    try {
      if (this.#erase) await this.#timed(this.#erase.remove(from, name, kind));
      this.deleted.push({ path: portable, kind });
      return true;
    } catch (error) {
      this.#fail(portable, kind, error);
      return false;
    }
  }

  async #open(portable: string): Promise<PinnedDirectory> {
    const opening = this.#erase
      ? this.#erase.open(this.#realTo, portable)
      : PinnedDirectory.open(this.#realTo, portable);
    return await withTimeout(opening, this.#options.fileTimeoutMs, "opening it", (late) => late.close());
  }

  async #timed<T>(operation: Promise<T>): Promise<T> {
    return await withTimeout(operation, this.#options.fileTimeoutMs, "looking for what is extra");
  }

  #fail(path: string, kind: Outcome["kind"], error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = `it could not be deleted: ${code === undefined ? message : fileError(code)}`;
    this.failures.push(failed({ path, kind }, reason));
  }
}
