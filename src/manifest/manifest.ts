import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { z } from "zod";
import type { Entry } from "../model/entry.ts";
import { failed, filesOf, OUTCOMES, type Outcome } from "../model/outcome.ts";
import { DamagedRecord, fileSize, mode, mtime, NewerLedger } from "../ledger/damaged.ts";
import { LEDGER_CONTAINER } from "../model/ledger-container.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { readListing } from "../ledger/listing.ts";
import { LONGEST_LINE } from "../ledger/read-blob.ts";
import { inTurns } from "../model/in-turns.ts";
import { blobPages } from "../storage/blob-pages.ts";
import {
  batchOutcomes,
  largeOutcome,
  listingName,
  listingOutcomes,
  OUTCOMES_FOLDER,
} from "../ledger/names.ts";
import { countsFromMetadata } from "../ledger/outcomes.ts";

/**
 * A run's manifest is all its outcomes together: what of it was copied or unchanged is what the tree was. It is read
 * from the ledger as something that others may have written: every line is checked.
 */
export interface ManifestItem extends Entry {
  /** Base64 of the content's MD5; of the target for a link. */
  md5: string;
}

/** One blob of a manifest. */
export interface ManifestBlob {
  /** Below the run's folder. */
  name: string;
  /** How many names it settles. */
  files: number;
}

/** What one blob of a manifest says. */
export interface ManifestPage {
  items: ManifestItem[];
  /** Names that were there when the directories were read, and are not in the backup. */
  missed: string[];
  /** What is wrong with the record itself, as failures. */
  damage: Outcome[];
}

const item = z.object({
  path: z.string().min(1).max(4096),
  kind: z.enum(["file", "link", "directory"]),
  size: fileSize,
  mtime,
  mode,
  md5: z.base64().length(24),
});
const line = z.object({ path: z.string(), outcome: z.enum(OUTCOMES) });

/** Bytes of a line, at a guess, where a blob does not say how many it has. */
const LINE = 200;

/** The blobs of a run's manifest, in order. One list call for 5,000 of them. */
export async function listManifest(service: BlobServiceClient, run: string): Promise<ManifestBlob[]> {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  const manifest: ManifestBlob[] = [];
  const pages = blobPages(container, { prefix: `${run}/${OUTCOMES_FOLDER}`, includeMetadata: true });
  for await (const { blobs } of pages) {
    for (const { name, metadata, properties } of blobs) {
      const counts = countsFromMetadata(metadata);
      const counted = filesOf(counts) + counts.directories;
      const guessed = Math.ceil((properties.contentLength ?? 0) / LINE);
      manifest.push({
        name: name.slice(run.length + 1),
        files: counted > 0 ? counted : guessed,
      });
    }
  }
  return manifest;
}

/** Reads one blob of a manifest. What is damaged in it is named; the rest is given. */
export async function readManifest(ledger: Ledger, { name }: ManifestBlob): Promise<ManifestPage> {
  const page: ManifestPage = { items: [], missed: [], damage: [] };
  const text = await ledger.read(name);
  if (text === undefined) {
    page.damage.push(damaged(ledger, name, "the record is gone"));
    return page;
  }
  const lines = text.split("\n");
  // Each line ends in a newline, so that a record that was cut short shows.
  if (lines.pop() !== "") lines.push("torn");
  await inTurns(lines, (json, index) => {
    const problem = readLine(json, page);
    if (problem !== undefined) page.damage.push(damaged(ledger, name, `line ${index + 1} ${problem}`));
  });
  return page;
}

/** @returns what is wrong with the line */
function readLine(json: string, page: ManifestPage): string | undefined {
  if (json.length > LONGEST_LINE) return `has more than ${LONGEST_LINE} characters`;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return "is torn";
  }
  const head = line.safeParse(value);
  if (!head.success) return "is not an outcome that this version of the app knows";
  const { path, outcome } = head.data;
  if (outcome === "failed" || outcome === "skipped" || outcome === "vanished") page.missed.push(path);
  if (outcome !== "copied" && outcome !== "unchanged") return undefined;
  const parsed = item.safeParse(value);
  if (!parsed.success) return `does not say enough of ${JSON.stringify(path.slice(0, 300))}`;
  page.items.push(parsed.data);
  return undefined;
}

function damaged(ledger: Ledger, name: string, reason: string): Outcome {
  const path = `${LEDGER_CONTAINER}/${ledger.runId}/${name}`;
  return failed({ path, kind: "other" }, `the run's record is damaged: ${reason}`);
}

/** What must be right in a listing to count what it stands for. */
const LISTING = z.object({
  batches: z.array(z.object({ files: z.number() })),
  large: z.array(z.unknown()).optional(),
  rest: z.array(z.unknown()),
  found: z.object({ counts: z.record(z.string(), z.number()) }),
  problem: z.string().optional(),
});

/** Listings read at a time. */
const READS = 16;

/**
 * What a run that has ended should have recorded and has not: outcomes of a batch, the listing of a part. Each is a
 * failure that names the record and how many files it stands for.
 */
export async function missingRecords(ledger: Ledger, blobs: readonly ManifestBlob[]): Promise<Outcome[]> {
  const there = new Set(blobs.map(({ name }) => name));
  const missing: Outcome[] = [];
  let parts = ["0"];
  while (parts.length > 0) {
    const listings = await pMap(parts, async (part) => ({ part, listing: await listingOf(ledger, part) }), {
      concurrency: READS,
    });
    parts = [];
    for (const { part, listing } of listings) {
      if (!listing.value) {
        missing.push(damaged(ledger, listingName(part), listing.problem));
        continue;
      }
      const { batches, large, rest, found, problem } = listing.value;
      if (problem !== undefined)
        missing.push(damaged(ledger, listingName(part), `nothing was listed: ${problem}`));
      batches.forEach((batch, index) => {
        const name = batchOutcomes({ part, batch: index });
        if (!there.has(name))
          missing.push(damaged(ledger, name, `the outcomes of ${batch.files} files are missing`));
      });
      large?.forEach((_range, index) => {
        const name = largeOutcome({ part, large: index });
        if (!there.has(name)) missing.push(damaged(ledger, name, "the outcome of a large file is missing"));
      });
      const settled = Object.values(found.counts).some((count) => count > 0);
      if (settled && !there.has(listingOutcomes(part))) {
        missing.push(damaged(ledger, listingOutcomes(part), "the outcomes of the listing are missing"));
      }
      parts.push(...rest.map((_range, index) => `${part}.${index}`));
    }
  }
  return missing;
}

async function listingOf(ledger: Ledger, part: string) {
  try {
    const value = await readListing(ledger, part);
    if (!value) return { problem: "the listing of this part is missing" };
    return LISTING.safeParse(value).success ? { value } : { problem: "it is not a listing" };
  } catch (error) {
    if (error instanceof DamagedRecord || error instanceof NewerLedger) return { problem: error.message };
    throw error;
  }
}
