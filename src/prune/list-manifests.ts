import { randomUUID } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { cutEvenly } from "../ledger/cut.ts";
import type { Ledger, Lines } from "../ledger/ledger.ts";
import { writePieces } from "../ledger/parts.ts";
import { mapRun } from "../manifest/run-map.ts";
import { MAX_PARTITIONS, type ManifestRef } from "./decision.ts";
import type { KnownRun } from "./known-runs.ts";

/** Ledgers listed at a time. */
const LISTS = 16;
/** Lines of manifests that one activity reads: about 20 MB, in a few seconds. */
const LINES_A_RANGE = 100_000;
/** Lines of manifests for each partition. Most name a content that other lines name too. */
const LINES_A_PARTITION = 200_000;

/** The blobs of the runs' manifests, each with its number of files. */
export async function manifestsOf(
  runs: readonly KnownRun[],
  forgotten: ReadonlySet<string>,
  service: BlobServiceClient,
): Promise<{ ref: ManifestRef; files: number }[]> {
  const blobs = await pMap(
    runs,
    async ({ id, prefix }) => {
      const manifest = (await mapRun({ service }, id)).outcomes;
      return manifest.map(({ name, files }) => ({
        ref: { run: id, name, prefix, kept: !forgotten.has(id) },
        files,
      }));
    },
    { concurrency: LISTS },
  );
  return blobs.flat();
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
  const total = blobs.reduce((sum, { files }) => sum + files, 0);
  const pieces = cutEvenly(blobs, ({ files }) => files, Math.max(1, Math.ceil(total / LINES_A_RANGE)));
  const refs = pieces.map((piece) => piece.map(({ ref }) => ref));
  const partitions = Math.min(MAX_PARTITIONS, Math.max(1, Math.ceil(total / LINES_A_PARTITION)));
  return { manifests: await writePieces(ledger, list, refs), partitions };
}
