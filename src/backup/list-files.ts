import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { ChangedRecord, entry as entryLine, isFinal } from "../ledger/damaged.ts";
import { hasOnlyRoot } from "../ledger/destination-claim.ts";
import { Ledger, toLine, type Lines } from "../ledger/ledger.ts";
import {
  rangesOf,
  readListingNow,
  settleListing,
  type Keep,
  type Covered,
  type Listing,
  type PartRef,
} from "../ledger/listing.ts";
import { settleOutcomes } from "../ledger/outcomes.ts";
import { keepPruneOut } from "../ledger/prune-lock.ts";
import { openRun } from "../ledger/runs.ts";
import { inTurns } from "../model/in-turns.ts";
import type { Settings } from "../settings.ts";
import { inOneAccount } from "../storage/connect.ts";
import { describe } from "../storage/errors.ts";
import { LEDGER_CONTAINER } from "../model/ledger-container.ts";
import { ListBlobsRequests } from "../storage/list-blobs-request.ts";
import { cut, MAX_BATCHES, take } from "../ledger/batches.ts";
import { blobName } from "../model/blob-name.ts";
import { Destination, isEmptyDestination } from "../store/files/destination.ts";
import type { Entry } from "../model/entry.ts";
import { createFilter, type Filter } from "../model/filter.ts";
import { emptyTally } from "../model/outcome.ts";
import { cutRest } from "./rest.ts";
import type { BackupRequest } from "./request.ts";
import { isAllowed } from "../files/roots.ts";
import { collect } from "./collect.ts";
import { confirmVanished, RootGone } from "./vanished.ts";
import { resolveRoot, Walker, type Pending } from "./walk.ts";
import { listingName, listingOutcomes } from "../ledger/names.ts";

/** The whole tree, or a part of it that another listing left. */
export interface ListInput extends PartRef {
  request: BackupRequest;
  left?: Left;
}

/** What a part takes over from the listing that left it. */
export interface Left extends Pick<Listing, "realRoot" | "fresh" | "keep"> {
  lines: Lines;
}

/** The name of the part that is the whole tree. */
export const WHOLE_TREE = "0";

/**
 * Lists one part of the tree: up to a bounded number of files, in a bounded time. Files that need copying are cut into
 * batches, what is left to walk into parts; both are byte ranges of blobs in the ledger. A part that was listed before
 * is not listed again: the first listing stands, however often the activity is delivered.
 */
export async function listFiles(
  input: ListInput,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Listing> {
  const ledger = new Ledger(service, input.run);
  try {
    return await list(input, ledger, service, settings);
  } catch (error) {
    if (!isFinal(error) && !(error instanceof RootGone)) throw error;
    return failed(input.request, describe(error));
  }
}

/** A line of what is left. */
const pending = z.union([z.strictObject({ dir: z.string() }), z.strictObject({ file: z.string().min(1) })]);

/** Where a listing begins. */
interface Start extends Omit<Left, "lines"> {
  pending: Pending[];
}

async function list(
  input: ListInput,
  ledger: Ledger,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Listing> {
  const { part, request, left: taken } = input;
  const giveUp = async (problem: string): Promise<Listing> => {
    const nothing = failed(request, problem);
    await settleListing(ledger, part, nothing);
    return nothing;
  };
  const start = taken
    ? { ...taken, pending: await ledger.readLines<Pending>(taken.lines, pending) }
    : await begin(request, ledger, service, settings);
  if ("problem" in start) return await giveUp(start.problem);
  const { realRoot, fresh, keep } = start;
  // By its real path: what the request names may have become a link since it was checked.
  if (!(await isAllowed(realRoot, settings.roots, settings.fileTimeoutMs)))
    return await giveUp(notAllowed(request.root));

  const filter = createFilter(request.include, request.exclude);
  const before = await readListingNow(ledger, part);
  if (before) return await adopt(before, { request, realRoot, keep, filter }, ledger, part);
  const walker = new Walker(
    realRoot,
    filter,
    (path) => blobName(path, request.prefix),
    settings.fileTimeoutMs,
  );
  const depth = part.split(".").length - 1;
  const destination = fresh ? undefined : destinationOf(request, start.pending, input.run, service, settings);
  const { entries, directories, left, ...collected } = await collect(
    walker,
    start.pending,
    { files: settings.listFiles, milliseconds: settings.listMs, depth },
    (path) => destination?.expect(path),
  );
  const rootProblem = part === WHOLE_TREE && collected.outcomes.find(({ path }) => path === "");
  if (rootProblem)
    return await giveUp(`The directory ${request.root} cannot be read: ${rootProblem.reason}.`);
  const record = listingOutcomes(part);
  const { fileTimeoutMs } = settings;
  const searched = { ledger, part, record, realRoot, fileTimeoutMs, directories };
  const outcomes = await confirmVanished(collected.outcomes, searched);
  const toCopy = destination ? await destination.compare(entries, outcomes) : entries;

  // Named by attempt: a list that was handed out is never changed by another delivery of this activity.
  const attempt = `lists/${part}-${randomUUID()}`;
  const { small, large, later } = share(toCopy, settings.largeFile);
  const lines = await inTurns(small, toLine);
  if (lines.length > 0) await ledger.writeOnce(`${attempt}.jsonl`, lines.join(""));
  const known = (await inTurns(directories, toLine)).join("");
  if (known !== "") await ledger.writeOnce(`${attempt}.directories.jsonl`, known);
  const largeLines = large.map(toLine);
  if (large.length > 0) await ledger.writeOnce(`${attempt}.large.jsonl`, largeLines.join(""));
  for (const { path } of later) left.push({ file: path });
  // Where others have to copy some of what was looked up, one listing takes no more than this one did.
  const perListing = later.length > 0 ? small.length + large.length : settings.listFiles;
  const rest = await cutRest(left, ledger, `${attempt}.rest.jsonl`, perListing, entries.length);
  const found = outcomes.length > 0 ? await settleOutcomes(ledger, record, outcomes) : emptyTally();
  const matched = filter.matched();
  if (matched.length > 0) found.matched = matched;
  const listing: Listing = {
    version: 1,
    request,
    realRoot,
    fresh,
    keep,
    found,
    batches: cut(`${attempt}.jsonl`, small, lines, MAX_BATCHES - large.length),
    large: rangesOf(`${attempt}.large.jsonl`, largeLines),
    toCopy: {
      files: small.length + large.length,
      bytes: [...small, ...large].reduce((sum, { size }) => sum + size, 0),
    },
    rest,
    ...(known === ""
      ? {}
      : {
          machine: hostname(),
          directories: {
            list: `${attempt}.directories.jsonl`,
            offset: 0,
            length: Buffer.byteLength(known),
          },
        }),
  };
  const other = await settleListing(ledger, part, listing);
  return other ? await adopt(other, { request, realRoot, keep, filter }, ledger, part) : listing;
}

/**
 * Takes over the listing that is there already. Another delivery of the activity wrote it, or someone else: it must be one
 * that this run could have made.
 * @throws ChangedRecord
 */
async function adopt(
  listing: Listing,
  { filter, ...wanted }: { filter: Filter } & Pick<Listing, "request" | "realRoot" | "keep">,
  ledger: Ledger,
  part: string,
): Promise<Listing> {
  const { request, realRoot, keep, problem, batches, large, rest } = listing;
  // It leads nowhere.
  if (problem !== undefined) return failed(wanted.request, problem);
  const isBelow = (path: string): boolean => !path.split("/").includes("..");
  const isWithin = ({ path, kind }: Entry): boolean =>
    kind === "directory"
      ? filter.directory(path) && filter.emptyDirectory(path)
      : isBelow(path) && filter.file(path);
  let agrees = isDeepStrictEqual({ request, realRoot, keep }, wanted);
  for (const range of agrees ? [...batches, ...large] : []) {
    const entries = await ledger.readLines<Entry>(range, entryLine);
    agrees &&= (await inTurns(entries, isWithin)).every(Boolean);
  }
  for (const range of agrees ? rest : []) {
    const left = await ledger.readLines<Pending>(range, pending);
    agrees &&= left.every((item) => "dir" in item || isBelow(item.file));
  }
  if (!agrees) throw new ChangedRecord(`${ledger.runId}/${listingName(part)}`);
  return listing;
}

function destinationOf(
  request: BackupRequest,
  begins: readonly Pending[],
  runId: string,
  service: BlobServiceClient,
  settings: Settings,
): Destination {
  const container = service.getContainerClient(request.container);
  const directories = begins.flatMap((item) => ("dir" in item ? [item.dir] : []));
  const requests = new ListBlobsRequests(container, settings.behindProxy);
  let asked: Promise<boolean> | undefined;
  const onlyRoot = () => (asked ??= hasOnlyRoot(service, request));
  return new Destination(requests, request, runId, { directories, files: settings.listFiles }, onlyRoot);
}

/** Large files are orchestrations of their own; so many of them that enough batches are left for the small ones. */
const MAX_LARGE = 16;

/** Divides what is to be copied into files for batches, large files, and what is left for other listings. */
function share(entries: readonly Entry[], threshold: number) {
  const isLarge = (entry: Entry): boolean => entry.kind === "file" && entry.size > threshold;
  const allLarge = entries.filter(isLarge);
  const large = allLarge.slice(0, MAX_LARGE);
  const { now: small, later } = take(
    entries.filter((entry) => !isLarge(entry)),
    MAX_BATCHES - large.length,
  );
  return { small, large, later: [...later, ...allLarge.slice(MAX_LARGE)] };
}

async function begin(
  request: BackupRequest,
  ledger: Ledger,
  service: BlobServiceClient,
  settings: Settings,
): Promise<Start | { problem: string }> {
  if (!(await isAllowed(request.root, settings.roots, settings.fileTimeoutMs)))
    return { problem: notAllowed(request.root) };
  const resolved = await resolveRoot(request.root, settings.fileTimeoutMs);
  const { versioned } = await openRun(ledger, request, { app: settings.app });
  // With its record open, for a prune looks for that once it has the lock: of the two one sees the other.
  const prune = await keepPruneOut(service, request);
  if (prune !== undefined) return { problem: beingPruned(prune) };
  if ("problem" in resolved) return resolved;
  const container = service.getContainerClient(request.container);
  const fresh = await isEmptyDestination(container, request.prefix);
  // Of another account than the destination's, what the ledger's keeps says nothing; see OldContent.
  const itKeeps = versioned && inOneAccount(container, service.getContainerClient(LEDGER_CONTAINER));
  const keep: Keep = !request.keepVersions ? "nothing" : itKeeps ? "versions" : "snapshots";
  return { realRoot: resolved.realRoot, fresh, keep, pending: [{ dir: "" }] };
}

function notAllowed(root: string): string {
  return `The directory ${root} is not in one of those that BACKUP_ROOTS allows.`;
}

function beingPruned(prune: string): string {
  return `The prune ${prune} is deleting there. Start the backup again when it has ended.`;
}

function failed(request: Covered, problem: string): Listing {
  return {
    version: 1,
    request,
    realRoot: request.root,
    fresh: false,
    keep: "nothing",
    found: emptyTally(),
    batches: [],
    large: [],
    toCopy: { files: 0, bytes: 0 },
    rest: [],
    problem,
  };
}
