import { unlink } from "node:fs/promises";
import { QUICK_SIZE } from "../files/asks.ts";
import { isCommon } from "../files/file-times.ts";
import { tryInTarget } from "../files/in-directory.ts";
import { tidyInTime } from "../files/timeout.ts";
import { writeSmall, type SmallFile } from "../files/write-small.ts";
import type { PlannedItem } from "../manifest/plan-record.ts";
import type { Outcome } from "../model/outcome.ts";
import { parentPath } from "../model/path.ts";
import { Corrupt, type Read } from "../store/fetching.ts";
import { SPECIAL, wantedMode } from "./attributes.ts";
import { done } from "./decide.ts";
import { temporaryName, type RestoreContext } from "./restore-context.ts";
import { parentOf } from "./restore-file.ts";

/** Writes small files beside their places by the file thread; nothing may be in their places. */
export class QuickWriter {
  readonly #context: RestoreContext;
  readonly #device: number;
  readonly #written: Map<string, string>;
  /** Whether the directories of files could be opened, made if missing. */
  readonly #directories = new Map<string, Promise<boolean>>();

  /**
   * @param device of the directories in which files may be written
   * @param written gets the temporary file's name by the item's path
   */
  constructor(context: RestoreContext, device: number, written: Map<string, string>) {
    this.#context = context;
    this.#device = device;
    this.#written = written;
  }

  /** Whether it can write a file, if all goes well. */
  takes(item: PlannedItem): boolean {
    const { kind, size, source, mtime } = item;
    const isSmall = kind === "file" && size <= QUICK_SIZE && source.length === size;
    return isSmall && isCommon(mtime) && (this.#modeOf(item) & SPECIAL) === 0;
  }

  #modeOf(item: PlannedItem): number {
    return wantedMode(item, { mode: 0 }, this.#context.setuid);
  }

  /** @returns undefined if it did not work; nothing is left then */
  async write(item: PlannedItem, read: Read): Promise<Outcome | undefined> {
    if (!(await this.#hasDirectory(item))) return undefined;
    const { realTo, mark } = this.#context;
    const temporary = temporaryName(mark);
    const file: SmallFile = {
      temporary,
      size: item.size,
      fill: (into) => fill(into, read),
      mode: this.#modeOf(item),
      mtime: item.mtime / 1_000_000,
      device: this.#device,
      undo: () => void this.#remove(item, temporary),
    };
    if (!(await writeSmall(realTo, item.path, file))) return undefined;
    this.#written.set(item.path, temporary);
    return done(item, "copied");
  }

  async #hasDirectory(item: PlannedItem): Promise<boolean> {
    const name = parentPath(item.path);
    let has = this.#directories.get(name);
    if (!has) this.#directories.set(name, (has = this.#makeDirectory(item).catch(() => false)));
    return await has;
  }

  async #makeDirectory(item: PlannedItem): Promise<boolean> {
    const directory = await parentOf(item, this.#context);
    if (typeof directory === "string") return false;
    await tidyInTime(directory.close(), this.#context.fileTimeoutMs);
    return true;
  }

  async #remove({ path }: PlannedItem, temporary: string): Promise<void> {
    await tryInTarget(this.#context, parentPath(path), (directory) => unlink(directory.path(temporary)));
  }
}

/** Reads a content into memory that may have another in it. @throws Corrupt if it does not fill it */
async function fill(into: Uint8Array, read: Read): Promise<void> {
  let filled = 0;
  await read(async (bytes, position) => {
    into.set(bytes, position);
    filled += bytes.length;
  });
  if (filled !== into.length)
    throw new Corrupt(`corrupt: it has ${filled} bytes, the run recorded ${into.length}`);
}
