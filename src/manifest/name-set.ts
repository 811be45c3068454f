import { createHash } from "node:crypto";
import { isPath, toBytes } from "../model/path.ts";

/** Names in one piece, which is sorted at once: in some 20 ms. */
const PIECE = 2 ** 16;

/**
 * Very many names, held as hashes of 48 bits: 8 bytes a name, 80 MB for ten million. Where two share a hash, a name that
 * was not added is taken for one that was.
 */
export class NameSet {
  readonly #full: Float64Array[] = [];
  #hashes = new Float64Array(PIECE);
  #length = 0;
  #isSorted = true;
  #lastParent = "";

  add(name: string): void {
    this.#hashes[this.#length++] = hashOf(name);
    this.#isSorted = false;
    if (this.#length < PIECE) return;
    this.#full.push(this.#hashes.sort());
    this.#hashes = new Float64Array(PIECE);
    this.#length = 0;
  }

  /** Adds the directories above a path, each with a `/` at its end. */
  addParents(path: string): void {
    const parent = path.slice(0, path.lastIndexOf("/") + 1);
    // Most names follow another of the same directory.
    if (parent === this.#lastParent) return;
    this.#lastParent = parent;
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      this.add(`${path.slice(0, end)}/`);
    }
  }

  has(name: string): boolean {
    const last = this.#hashes.subarray(0, this.#length);
    if (!this.#isSorted) last.sort();
    this.#isSorted = true;
    const wanted = hashOf(name);
    return includes(last, wanted) || this.#full.some((piece) => includes(piece, wanted));
  }
}

function includes(sorted: Float64Array, wanted: number): boolean {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]! < wanted) from = middle + 1;
    else to = middle;
  }
  return sorted[from] === wanted;
}

function hashOf(name: string): number {
  // No directory has a name that is no path; a record that others wrote may.
  return createHash("md5")
    .update(isPath(name) ? toBytes(name) : name)
    .digest()
    .readUIntBE(0, 6);
}
