import pMap from "p-map";
import type { ManifestItem } from "../../manifest/line.ts";
import type { Source } from "../../model/content.ts";
import { whatHolds } from "../../model/held.ts";
import type { Found } from "../fetching.ts";
import type { Kept } from "./list-kept.ts";

/** Concurrent lookups of names. */
const LOOKS = 16;

/** Pages to list for a number of names: with more, looking up each name is as fast. */
function pagesFor(names: number): number {
  return 4 + Math.ceil(names / 400);
}

/** Looks for the items of one directory in what is listed. */
export class Search {
  readonly #wanted: Map<string, ManifestItem[]>;
  readonly #found: Map<ManifestItem, Found>;
  /** Names that have some blob, whatever it holds. */
  readonly #met = new Set<string>();
  /** Contents that cannot be read as they are. */
  readonly #archived = new Set<ManifestItem>();
  /** Candidates without a hash. */
  readonly #unhashed = new Map<ManifestItem, Source>();

  constructor(wanted: Map<string, ManifestItem[]>, found: Map<ManifestItem, Found>) {
    this.#wanted = wanted;
    this.#found = found;
  }

  /** Searches a listing, for as many pages as that is worth. @returns whether it was searched to the end */
  async takePages(pages: AsyncIterable<Kept[]>): Promise<boolean> {
    let more = pagesFor(this.left().length);
    for await (const page of pages) {
      for (const blob of page) this.take(blob);
      if (this.left().length === 0) return true;
      if (--more === 0) return false;
    }
    return true;
  }

  /** Looks up the remaining items by name. */
  async takeNames(look: (name: string) => AsyncIterable<Kept[]>): Promise<void> {
    await pMap(
      this.left(),
      async (name) => {
        for await (const page of look(name)) for (const blob of page) this.take(blob);
      },
      { concurrency: LOOKS },
    );
  }

  take({ name, md5, held, source }: Kept): void {
    const items = this.#wanted.get(name);
    if (!items) return;
    this.#met.add(name);
    for (const item of items) {
      if (this.#found.has(item) || (md5 !== undefined && md5 !== item.md5)) continue;
      if (item.kind !== "link" && source.length !== item.size) continue;
      if (held === "archived") this.#archived.add(item);
      else if (md5 !== undefined) this.#found.set(item, { source });
      else if (!this.#unhashed.has(item)) this.#unhashed.set(item, { ...source, unhashed: true });
    }
  }

  /** Names with an item that is not found yet. */
  left(): string[] {
    return [...this.#wanted]
      .filter(([, items]) => items.some((item) => !this.#found.has(item)))
      .map(([name]) => name);
  }

  giveUp(): void {
    for (const [name, items] of this.#wanted) {
      for (const item of items) {
        if (this.#found.has(item)) continue;
        const source = this.#unhashed.get(item);
        this.#found.set(item, source ? { source } : { lost: this.#whyLost(item, name) });
      }
    }
  }

  #whyLost(item: ManifestItem, name: string): string {
    if (this.#archived.has(item)) return `its blob ${whatHolds("archived")}`;
    if (!this.#met.has(name)) return "its blob is missing";
    return `its content is not in the container any more: neither the blob nor what is kept of it has ${item.size} bytes with the MD5 ${item.md5}`;
  }
}
