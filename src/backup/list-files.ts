import { hostname } from "node:os";
import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { startFileThread } from "../files/file-thread.ts";
import { cutIntoBatches, LANES } from "../ledger/cut.ts";
import { settleDirectories, type DirectoryLine } from "../ledger/directories.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { listingRecord, type ListingOwn } from "../ledger/listing.ts";
import { listingOutcomes } from "../ledger/names.ts";
import { PartProblem, type Part } from "../ledger/part-kind.ts";
import { WHOLE, type PartInput } from "../ledger/part-record.ts";
import { recordComparedWith } from "../ledger/runs.ts";
import { entry } from "../ledger/schemas.ts";
import { settlePart } from "../ledger/settle-part.ts";
import type { Entry } from "../model/entry.ts";
import { createFilter, type Filter } from "../model/filter.ts";
import { inKeyOrder, keyOf } from "../model/order.ts";
import type { Settings } from "../settings.ts";
import { openStore } from "../store/open-store.ts";
import { assertAllowed, beginBackup } from "./begin-backup.ts";
import { collect } from "./collect.ts";
import { cutPending, glanceAt, knownDirectories } from "./left.ts";
import type { Pending } from "./read-names.ts";
import type { BackupRequest } from "./request.ts";
import { confirmVanished } from "./vanished.ts";
import { Walker } from "./walk.ts";

/** The whole tree, or a part of it that another listing left. */
export type ListInput = PartInput<BackupRequest, ListingOwn>;

/** A line of what is left. */
const pending = z.union([z.strictObject({ dir: z.string() }), z.strictObject({ file: z.string().min(1) })]);

/**
 * Lists one part of the tree, for a bounded number of files and a bounded time. Files to copy are cut into batches, and what
 * is left to walk into further parts; see settlePart.
 */
export async function listFiles(
  input: ListInput,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Part<ListingOwn>> {
  startFileThread();
  const { part, request } = input;
  const filter = createFilter(request.include, request.exclude);
  const staysBelow = (path: string): boolean => !path.split("/").includes("..");
  /** From `find`, for `stands`. */
  let directories: DirectoryLine[] = [];
  return await settlePart<ListingOwn, Entry, Pending>(input, service, {
    record: listingRecord,
    unknown: { realRoot: request.root, layout: "files", fresh: false, keep: "nothing" },
    begin: async (ledger, taken) => {
      const own = taken ?? (await beginBackup(request, ledger, service, settings));
      // By its real path: the request's path may have become a link since it was checked.
      await assertAllowed(own.realRoot, request, settings);
      return own;
    },
    agreed: ({ realRoot, layout, keep }) => ({ realRoot, layout, keep }),
    item: {
      line: entry,
      covers: ({ path, kind }) =>
        kind === "directory"
          ? filter.directory(path) && filter.emptyDirectory(path)
          : staysBelow(path) && filter.file(path),
    },
    left: { line: pending, covers: (item) => "dir" in item || staysBelow(item.file) },
    find: async (own, begins, ledger) => {
      const found = await walkPart(input, { own, begins, filter, ledger }, service, settings);
      directories = found.lists.directories;
      return found;
    },
    stands: async (ledger, listing, isMine) =>
      await settleDirectories(ledger, part, listing, isMine ? directories : undefined),
  });
}

/** Walks a part, compares it with the destination, and divides what is to be copied and what is left. */
async function walkPart(
  { run, part, request }: ListInput,
  how: { own: ListingOwn; begins?: Pending[] | undefined; filter: Filter; ledger: Ledger },
  service: BlobServiceClient,
  { fileTimeoutMs, listFiles: files, listMs: milliseconds, largeFile, ...settings }: Settings,
) {
  const { own, begins = [{ dir: "" }], filter, ledger } = how;
  const { realRoot, layout, ...basis } = own;
  const store = openStore({ ...request, layout }, service, settings);
  const walker = new Walker(realRoot, filter, store, fileTimeoutMs);
  const tops = begins.flatMap((item) => ("dir" in item ? [item.dir] : []));
  const comparison = store.compare({ run, root: request.root, basis }, request, { tops, files });
  const until = performance.now() + milliseconds;
  const limits = { files, milliseconds, depth: part.split(".").length - 1 };
  const { entries, outcomes, directories, left } = await collect(walker, begins, limits, (path) =>
    comparison.expect(path),
  );
  const root = part === WHOLE && outcomes.find(({ path }) => path === "");
  if (root) throw new PartProblem(`The directory ${request.root} cannot be read: ${root.reason}.`);
  const glance = (path: string) => glanceAt(realRoot, path, fileTimeoutMs);
  const known = await knownDirectories(glance, begins, { directories, left }, until);
  const searched = { ledger, part, record: listingOutcomes(part), realRoot, fileTimeoutMs, directories };
  const settled = await confirmVanished(outcomes, searched);
  const toCopy = await comparison.compare(entries, settled);
  const { because } = comparison;
  if (because !== undefined) await recordComparedWith(ledger, { destination: true, because });

  const { sorted } = await inKeyOrder(toCopy, ({ path }) => keyOf(path));
  // The parts of a large tree keep the machines busy anyway: larger batches mean fewer records.
  const worth = part === WHOLE ? store.cost.worth : 2 * store.cost.worth;
  const cost = { ...store.cost, worth };
  const { batches, lanes, later } = cutIntoBatches(sorted, cost, { largeFile, mostLarge: LANES });
  // If files are left to other parts, none of those gets more files than this one kept.
  const perListing = later.length > 0 ? toCopy.length - later.length : files;
  const rest = await cutPending(
    [...left, ...later.map(({ path }) => ({ file: path }))],
    perListing,
    entries.length,
  );
  const lists = { directories: known };
  return { settled, matched: filter.matched(), batches, lanes, rest, also: { machine: hostname() }, lists };
}
