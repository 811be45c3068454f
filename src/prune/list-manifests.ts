import { randomUUID } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { cutEvenly } from "../ledger/cut.ts";
import { isGoodRun } from "../ledger/good-run.ts";
import type { Ledger, Lines } from "../ledger/ledger.ts";
import { writePieces } from "../ledger/part-record.ts";
import { mapRun } from "../manifest/run-map.ts";
import { normalRoot } from "../model/root-path.ts";
import { MAX_PARTITIONS, type ManifestRef } from "./decision.ts";
import type { KnownRun } from "./known-runs.ts";

/** Concurrent listings of ledgers. */
const LISTS = 16;
/** Lines of manifests that one activity reads: about 20 MB, in a few seconds. */
const LINES_A_RANGE = 100_000;
/** Lines of manifests for each partition. Most name a content that other lines name too. */
const LINES_A_PARTITION = 200_000;
/** About the bytes of a piece of a larger content; see Pruning.isPiece. */
const PIECE = 4 * 1024 * 1024;

/** The blobs of the runs' manifests, each with about how much it needs: a content for each line, and its pieces. */
export async function manifestsOf(
  runs: readonly KnownRun[],
  forgotten: ReadonlySet<string>,
  service: BlobServiceClient,
): Promise<{ ref: ManifestRef; needs: number }[]> {
  const newest = newestOf(runs.filter(({ id }) => !forgotten.has(id)));
  const blobs = await pMap(
    runs,
    async ({ id, prefix }) => {
      const whose = { kept: !forgotten.has(id), ...(newest.has(id) ? { newest: true as const } : {}) };
      return (await mapRun({ service }, id)).outcomes.map(({ name, files, content }) => ({
        ref: { run: id, name, prefix, ...whose },
        needs: files + Math.floor(content / PIECE),
      }));
    },
    { concurrency: LISTS },
  );
  return blobs.flat();
}

/** The newest good run of each root in each destination: what the next backup builds on. */
function newestOf(runs: readonly KnownRun[]): Set<string> {
  const oldestFirst = runs
    // A run that stays may still be marked as forgotten, by another delivery of this activity.
    .filter((run) => isGoodRun({ ...run, forgotten: undefined }))
    .sort((one, other) => Date.parse(one.started ?? "") - Date.parse(other.started ?? ""));
  const newest = new Map(oldestFirst.map(({ id, prefix, root }) => [`${prefix}\n${normalRoot(root)}`, id]));
  return new Set(newest.values());
}

/**
 * Writes the names of all blobs of the runs' manifests to the ledger, cut into ranges that one activity reads each, and
 * returns how many partitions to divide the names in them into.
 */
export async function listManifests(
  runs: readonly KnownRun[],
  forgotten: ReadonlySet<string>,
  ledger: Ledger,
): Promise<{ manifests: Lines[]; partitions: number }> {
  const list = `lists/manifests-${randomUUID()}.jsonl`;
  const blobs = await manifestsOf(runs, forgotten, ledger.service);
  const total = blobs.reduce((sum, { needs }) => sum + needs, 0);
  const pieces = cutEvenly(blobs, ({ needs }) => needs, Math.max(1, Math.ceil(total / LINES_A_RANGE)));
  const refs = pieces.map((piece) => piece.map(({ ref }) => ref));
  const partitions = Math.min(MAX_PARTITIONS, Math.max(1, Math.ceil(total / LINES_A_PARTITION)));
  return { manifests: await writePieces(ledger, list, refs), partitions };
}
