import { createHash } from "node:crypto";
import { pMapIterable } from "p-map";
import type { Ledger } from "../ledger/ledger.ts";
import { partDirectories } from "../ledger/names.ts";
import { takingTurns } from "../model/in-turns.ts";
import { linesOf, type OnDamage } from "./blob-piece.ts";
import { lineOfDirectory, type Line } from "./line.ts";
import { listedDirectories, partsOf } from "./listed-directories.ts";
import type { ManifestBlob, RunMap } from "./run-map.ts";

/** Records of at most so many bytes are read several at a time. */
const SMALL = 512 * 1024;
/** Records that are read at a time. */
const READS = 8;

/** Whether a run has a record of directories, as all have that this release or a later one began. */
export function hasDirectories({ directories }: RunMap): boolean {
  return directories.some(({ name }) => name === partDirectories("0"));
}

/** Tells one state of the records of older releases from any other. */
export function markOf(ledger: Ledger, { outcomes }: RunMap): string {
  const records = outcomes.filter(({ fences }) => !fences).map(({ name, etag }) => `${name} ${etag}`);
  return createHash("sha256")
    .update([ledger.runId, ...records].join("\n"))
    .digest("base64url");
}

/**
 * What records of older releases say: outcomes in no order, and directories in lists of each part. The directories above a
 * name are given too, for before that there were no lists.
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
  for await (const lines of pMapIterable(small, whole, { concurrency: READS }))
    yield await withParents(lines);
  for (const blob of unordered) {
    if (blob.bytes <= SMALL) continue;
    for await (const page of linesOf(ledger, blob, onDamage)) yield await withParents(page);
  }
  for (const part of await partsOf(ledger))
    yield (await listedDirectories(ledger, part, onDamage)).map(lineOfDirectory);
}

async function withParents(lines: readonly Line[]): Promise<Line[]> {
  const turn = takingTurns();
  const all: Line[] = [];
  let last = "";
  for (const line of lines) {
    all.push(line);
    const { path } = line.entry;
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    // Most names follow another of the same directory.
    for (
      let above = parent;
      above !== last && above !== "";
      above = above.slice(0, Math.max(0, above.lastIndexOf("/")))
    )
      all.push(lineOfDirectory({ path: above }));
    last = parent;
    await turn();
  }
  return all;
}
