import { randomUUID } from "node:crypto";
import pMap from "p-map";
import { toLine, type Ledger, type ListRange } from "../ledger/ledger.ts";
import { inTurns } from "../model/in-turns.ts";
import { listManifest } from "../restore/manifest.ts";
import type { ManifestRef } from "./decision.ts";
import type { KnownRun } from "./known-runs.ts";

/** Ledgers that are listed at a time. */
const LISTS = 16;
/** Lines of manifests that one activity reads: some 20 MB, a few seconds. */
const LINES_A_RANGE = 100_000;
/** Lines of manifests that one partition is to have; most name a content that others name too. */
const LINES_A_PARTITION = 200_000;
/** Each partition has a place in the fan-out. */
const MAX_PARTITIONS = 64;

/**
 * Writes the names of all blobs of some runs' manifests to the ledger, cut into ranges of about so many lines each, and
 * says into how many partitions the names in them are best divided.
 */
export async function listManifests(
  runs: readonly KnownRun[],
  forgotten: ReadonlySet<string>,
  ledger: Ledger,
): Promise<{ manifests: ListRange[]; partitions: number }> {
  const list = `lists/manifests-${randomUUID()}.jsonl`;
  const blobs = await pMap(
    runs,
    async ({ id, prefix }) => {
      const manifest = await listManifest(ledger.service, id);
      return manifest.map(({ name, files }) => ({ run: id, name, prefix, kept: !forgotten.has(id), files }));
    },
    { concurrency: LISTS },
  );
  const manifests: ListRange[] = [];
  const lines: string[] = [];
  let range: ListRange = { list, offset: 0, length: 0 };
  let inRange = 0;
  let total = 0;
  await inTurns(blobs.flat(), ({ files, ...ref }) => {
    if (inRange > 0 && inRange + files > LINES_A_RANGE) {
      manifests.push(range);
      range = { list, offset: range.offset + range.length, length: 0 };
      inRange = 0;
    }
    const line = toLine(ref satisfies ManifestRef);
    lines.push(line);
    range.length += Buffer.byteLength(line);
    inRange += files;
    total += files;
  });
  if (lines.length > 0) {
    await ledger.writeOnce(list, lines.join(""));
    manifests.push(range);
  }
  const partitions = Math.min(MAX_PARTITIONS, Math.max(1, Math.ceil(total / LINES_A_PARTITION)));
  return { manifests, partitions };
}
