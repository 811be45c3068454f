import { createHash } from "node:crypto";
import type { Needs } from "../store.ts";
import type { Kept } from "./contents.ts";

/** Names and contents are told apart by short hashes: a clash of two keeps what could go, and never lets go what is needed. */
function hashOf(text: string): string {
  return createHash("sha256").update(text).digest().toString("base64", 0, 9);
}

const HASH = 12;

/** A line for a content of a name: "k" where a run that stays needs it, "f" where only runs had it that are forgotten. */
export function needLine(name: string, md5: string, kept: boolean): string {
  return `${kept ? "k" : "f"}${hashOf(name)}${hashOf(md5)}`;
}

/** What the manifests say of some names. */
export class FileNeeds implements Needs {
  /** Names that a backup wrote or found there: others are none of the product's. */
  readonly #names = new Set<string>();
  /** Contents that runs which stay need, and the names of these. */
  readonly #contents = new Set<string>();
  readonly #neededNames = new Set<string>();

  take(line: string): void {
    const name = line.slice(1, 1 + HASH);
    this.#names.add(name);
    if (!line.startsWith("k")) return;
    this.#contents.add(line.slice(1));
    this.#neededNames.add(name);
  }

  /**
   * What stays:
   * - all of a name that is in no backup's manifest, and what has not the marks of a backup: the product did not write it;
   * - one of each content that a run which stays needs, by its MD5, the blob itself before a snapshot or version of it;
   * - what has lost its MD5 (others set its headers), as long as a run which stays needs anything of the name;
   * - what a run that stays wrote, though its manifest does not name it: activities of a run that was ended from outside
   *   may record it yet;
   * - where such activities may be at work, the blob itself: they may have found it unchanged;
   * - a blob whose snapshots stay: it cannot be deleted without them.
   * @returns snapshots and versions first, then the blob itself
   */
  superfluous(
    contents: readonly Kept[],
    { staying, lingering }: { staying: ReadonlySet<string>; lingering: boolean },
  ): Kept[] {
    const [first] = contents;
    if (!first) return [];
    const name = hashOf(first.name);
    if (!this.#names.has(name)) return [];
    const satisfied = new Set<string | undefined>();
    const isSuperfluous = ({ md5, run, etag }: Kept): boolean => {
      if (run === undefined) return false;
      const isNeeded =
        md5 === undefined ? this.#neededNames.has(name) : this.#contents.has(name + hashOf(md5));
      if (isNeeded && md5 === undefined) return false;
      if (isNeeded && !satisfied.has(md5)) {
        satisfied.add(md5);
        return false;
      }
      if (etag !== undefined && lingering) return false;
      return isNeeded || !staying.has(run);
    };
    const current = contents.filter(({ etag }) => etag !== undefined);
    const older = contents.filter(({ etag }) => etag === undefined);
    const currentGoes = current.filter(isSuperfluous);
    const olderGo = older.filter(isSuperfluous);
    const snapshotStays = older.some(
      (content) => content.snapshot !== undefined && !olderGo.includes(content),
    );
    return [...olderGo, ...(snapshotStays ? [] : currentGoes)];
  }
}
