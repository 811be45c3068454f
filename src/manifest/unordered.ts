import { createHash } from "node:crypto";
import { pMapIterable } from "p-map";
import type { Ledger } from "../ledger/ledger.ts";
import { partDirectories } from "../ledger/names.ts";
import { WHOLE } from "../ledger/part-record.ts";
import { takingTurns } from "../model/in-turns.ts";
import { isWithin, parentPath } from "../model/path.ts";
import { linesOf, type OnDamage } from "./blob-piece.ts";
import { lineOfDirectory, type Line } from "./line.ts";
import { listedDirectories, listingsOf } from "./listings.ts";
import type { ManifestBlob, RunMap } from "./run-map.ts";

/** The largest record to read concurrently with others, in bytes. */
const SMALL = 512 * 1024;
/** Concurrent reads of such records. */
const READS = 8;
/** Characters of directories' names in a page. */
const PAGE = 1024 * 1024;

/** Whether a run has a record of directories, as all runs have that this release or a later one started. */
export function hasDirectories({ directories }: RunMap): boolean {
  return directories.some(({ name }) => name === partDirectories(WHOLE));
}

/** Identifies the unsorted records of a run as they are now. */
export function markOf(ledger: Ledger, { outcomes }: RunMap): string {
  const records = outcomes.filter(({ fences }) => !fences).map(({ name, etag }) => `${name} ${etag}`);
  return createHash("sha256")
    .update([ledger.runId, ...records].join("\n"))
    .digest("base64url");
}

/**
 * All lines of records that are not sorted, and the directories that the listing of each part names. The directories above
 * each name are included, because even older listings name none.
 */
export async function* unorderedLines(
  ledger: Ledger,
  map: RunMap,
  onDamage: OnDamage,
): AsyncGenerator<Line[]> {
  const unordered = map.outcomes.filter(({ fences }) => !fences);
  const small = unordered.filter(({ bytes }) => bytes <= SMALL);
  const whole = async (blob: ManifestBlob): Promise<Line[]> => {
    const lines: Line[] = [];
    for await (const page of linesOf(ledger, blob, onDamage)) lines.push(...page);
    return lines;
  };
  for await (const lines of pMapIterable(small, whole, { concurrency: READS })) yield* withParents(lines);
  for (const blob of unordered) {
    if (blob.bytes <= SMALL) continue;
    for await (const page of linesOf(ledger, blob, onDamage)) yield* withParents(page);
  }
  // missingRecords reports damaged listings.
  for await (const { listing } of listingsOf(ledger))
    yield (await listedDirectories(ledger, listing?.directories, onDamage)).map(lineOfDirectory);
}

/** In pages, for a single line may have thousands of directories above it. */
async function* withParents(lines: readonly Line[]): AsyncGenerator<Line[]> {
  const turn = takingTurns();
  let page: Line[] = [];
  let characters = 0;
  let last = "";
  for (const line of lines) {
    page.push(line);
    const parent = parentPath(line.entry.path);
    // Most names follow another of the same directory, or of one near it.
    for (let above = parent; above !== "" && !isWithin(last, above); above = parentPath(above)) {
      page.push(lineOfDirectory({ path: above }));
      characters += above.length;
      await turn();
      if (characters < PAGE) continue;
      yield page;
      [page, characters] = [[], 0];
    }
    last = parent;
    await turn();
  }
  yield page;
}
