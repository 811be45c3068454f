import { createHash } from "node:crypto";
import type { Needs } from "../pruning.ts";
import type { StoredContent } from "./contents.ts";

/** Names and contents are held as short hashes. A collision keeps something superfluous, and never deletes what is needed. */
function hashOf(text: string): string {
  return createHash("sha256").update(text).digest().toString("base64", 0, 9);
}

const HASH = 12;

/** A line for a content of a name: "k" if a run that stays needs it, "f" if only forgotten runs had it. */
export function needLine(name: string, md5: string, kept: boolean): string {
  return `${kept ? "k" : "f"}${hashOf(name)}${hashOf(md5)}`;
}

export class FileNeeds implements Needs {
  /** Names that a backup wrote or found there. All others are not the product's. */
  readonly #names = new Set<string>();
  /** Contents that remaining runs need, and their names. */
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
   * - everything under a name that is in no backup's manifest, or without a backup's marks: the product did not write it;
   * - one copy of each content, by its MD5, that a remaining run needs, the blob itself rather than a snapshot or version;
   * - a content that lost its MD5 because another program set its headers, as long as a remaining run needs the name;
   * - what a remaining run wrote and its manifest does not name: activities of a terminated run may still record it;
   * - while such activities may be running, the blob itself: they may have found it unchanged;
   * - a blob whose snapshots stay: it cannot be deleted without them.
   * @returns snapshots and versions first, then the blob itself
   */
  superfluous(
    contents: readonly StoredContent[],
    { staying, lingering }: { staying: ReadonlySet<string>; lingering: boolean },
  ): StoredContent[] {
    const [first] = contents;
    if (!first) return [];
    const name = hashOf(first.name);
    if (!this.#names.has(name)) return [];
    const satisfied = new Set<string | undefined>();
    const isSuperfluous = ({ md5, run, etag }: StoredContent): boolean => {
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

  /** A content is needed whole or not at all. */
  sparse(): [] {
    return [];
  }
}
