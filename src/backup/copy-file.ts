import { createHash, randomBytes } from "node:crypto";
import { readlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { BlobRequestConditions, BlockBlobClient, ContainerClient } from "@azure/storage-blob";
import { classify } from "../storage/errors.ts";
import { md5 } from "../storage/md5.ts";
import { withRetries } from "../storage/retries.ts";
import type { Keep } from "../ledger/listing.ts";
import type { Budget } from "./budget.ts";
import { blobHeaders, blobMetadata } from "./blob-headers.ts";
import { blobName } from "./blob-name.ts";
import { mtimeOf, modeOf, type Entry } from "./entry.ts";
import type { Outcome } from "./outcome.ts";
import { putBlob, type Put } from "./put-blob.ts";
import { ChangedWhileReading, locate, NotAFile, OpenFile } from "./read-file.ts";
import { withTimeout } from "./timeout.ts";

/** Files up to this size are sent by one Put Blob, larger ones in blocks of this size. */
export const BLOCK = 8 * 1024 * 1024;
/** Blocks of one file that are read and sent at a time. */
const BLOCKS_AT_A_TIME = 4;
/** Times a file is read from the start because it changed under the reader. */
const READS = 3;

/** What copying needs to know and to use. */
export interface CopyContext {
  runId: string;
  realRoot: string;
  container: ContainerClient;
  prefix: string;
  keep: Keep;
  /** Skip the upload where the destination holds the same content already. */
  compareContent: boolean;
  budget: Budget;
  fileTimeoutMs: number;
}

/**
 * Copies one file, link or empty directory and says what became of it. What is wrong with the file is an outcome.
 * @throws errors of the storage account that concern more than this file
 */
export async function copyFile(entry: Entry, context: CopyContext): Promise<Outcome> {
  try {
    if (entry.kind === "link") return await copyLink(entry, context);
    if (entry.kind === "directory") return await copyDirectory(entry, context);
    return await copyContent(entry, context);
  } catch (error) {
    return explain(entry, error);
  }
}

async function copyContent(entry: Entry, context: CopyContext): Promise<Outcome> {
  for (let read = 1; ; read++) {
    const file = await openPatiently(entry, context);
    try {
      if (await OpenFile.settle(file.stats)) await file.assertUnchanged();
      return file.stats.size <= BLOCK
        ? await copySmall(entry, file, context)
        : await copyByBlocks(entry, file, context);
    } catch (error) {
      if (!(error instanceof ChangedWhileReading) || read === READS) throw error;
    } finally {
      await file.close();
    }
  }
}

/** Times a file is opened again while the process has no file handles left. */
const OPENS = 5;

/** Opens a file, again and with fewer files at a time, when the process has no file handles left. */
async function openPatiently(entry: Entry, context: CopyContext): Promise<OpenFile> {
  for (let opened = 1; ; opened++) {
    try {
      return await openToCopy(entry, context);
    } catch (error) {
      if (!isOutOfHandles(error) || opened === OPENS) throw error;
      context.budget.outOfHandles();
      await sleep(200 * opened);
    }
  }
}

function isOutOfHandles(error: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes(String((error as NodeJS.ErrnoException | undefined)?.code));
}

/** Opens a file of the tree. @throws NotAFile, FileTimeout, or the file system's error */
export async function openToCopy(
  entry: Entry,
  { realRoot, fileTimeoutMs }: Pick<CopyContext, "realRoot" | "fileTimeoutMs">,
): Promise<OpenFile> {
  const opening = OpenFile.open(locate(realRoot, entry.path), realRoot);
  return await withTimeout(opening, fileTimeoutMs, "opening it", (late) => void late.close());
}

async function copySmall(entry: Entry, file: OpenFile, context: CopyContext): Promise<Outcome> {
  const { size } = file.stats;
  return await context.budget.bytes(size, async () => {
    const content = Buffer.allocUnsafe(size);
    await withTimeout(file.read(content, 0), context.fileTimeoutMs, "reading it");
    await file.assertUnchanged();
    return await putWhole(entry, context, content, mtimeOf(file.stats), modeOf(file.stats));
  });
}

/** A link is a blob that holds its target, as azcopy keeps it. */
async function copyLink(entry: Entry, context: CopyContext): Promise<Outcome> {
  const target = await readlink(locate(context.realRoot, entry.path), { encoding: "buffer" });
  return { ...(await putWhole(entry, context, target, entry.mtime, entry.mode)), size: 0 };
}

async function copyDirectory(entry: Entry, context: CopyContext): Promise<Outcome> {
  return await putWhole(entry, context, Buffer.alloc(0), entry.mtime, entry.mode);
}

async function putWhole(
  entry: Entry,
  context: CopyContext,
  content: Buffer,
  mtime: number,
  mode: number,
): Promise<Outcome> {
  const hash = md5(content);
  if (context.compareContent && entry.existing?.md5 === hash.toString("base64")) {
    return result(
      entry,
      { md5: entry.existing.md5, size: content.length, adopted: false },
      mtime,
      mode,
      "unchanged",
    );
  }
  const blob = blobOf(entry, context);
  const metadata = blobMetadata(context.runId, { kind: entry.kind, mtime, mode });
  const blobHTTPHeaders = blobHeaders(entry.path, hash);
  const put = await putBlob(
    blob,
    { md5: hash, size: content.length, runId: context.runId, existing: entry.existing },
    (conditions) =>
      context.budget.request(() =>
        withRetries(
          (abortSignal) =>
            blob.upload(content, content.length, {
              abortSignal,
              conditions,
              metadata,
              blobHTTPHeaders,
              transactionalContentMD5: hash,
            }),
          content.length,
        ),
      ),
    keepOld(blob, context.keep),
  );
  return result(entry, put, mtime, mode, "copied");
}

/**
 * Sends a file in blocks, a few at a time, and commits them when the whole file was read unchanged. Block ids carry a
 * random mark of this attempt, so that two attempts never mix their blocks in one blob.
 */
async function copyByBlocks(entry: Entry, file: OpenFile, context: CopyContext): Promise<Outcome> {
  const { size } = file.stats;
  if (context.compareContent && entry.existing?.md5 !== undefined) {
    const md5 = await hashOf(file, context);
    if (md5 === entry.existing.md5) {
      return result(
        entry,
        { md5, size, adopted: false },
        mtimeOf(file.stats),
        modeOf(file.stats),
        "unchanged",
      );
    }
  }
  const blob = blobOf(entry, context);
  const attempt = randomBytes(9).toString("base64url");
  const whole = createHash("md5");
  const ids: string[] = [];
  const sending = new Set<Promise<void>>();
  let failure: unknown;

  for (let position = 0; position < size && failure === undefined; position += BLOCK) {
    const length = Math.min(BLOCK, size - position);
    const id = Buffer.from(`${attempt}${String(ids.length).padStart(6, "0")}`).toString("base64");
    ids.push(id);
    // Reading goes on in order, for the hash of the whole; sending overlaps with it.
    await new Promise<void>((readNext) => {
      const block = context.budget
        .bytes(length, async () => {
          const content = Buffer.allocUnsafe(length);
          await withTimeout(file.read(content, position), context.fileTimeoutMs, "reading it");
          whole.update(content);
          const hash = md5(content);
          readNext();
          await context.budget.request(() =>
            withRetries(
              (abortSignal) =>
                blob.stageBlock(id, content, length, { abortSignal, transactionalContentMD5: hash }),
              length,
            ),
          );
        })
        .catch((error: unknown) => {
          failure ??= error;
        })
        .finally(() => {
          sending.delete(block);
          readNext();
        });
      sending.add(block);
    });
    while (sending.size >= BLOCKS_AT_A_TIME) await Promise.race(sending);
  }
  await Promise.all(sending);
  if (failure !== undefined) throw failure;
  await file.assertUnchanged();

  const hash = whole.digest();
  const [mtime, mode] = [mtimeOf(file.stats), modeOf(file.stats)];
  const put = await putBlob(
    blob,
    { md5: hash, size, runId: context.runId, existing: entry.existing },
    (conditions: BlobRequestConditions) =>
      withRetries((abortSignal) =>
        blob.commitBlockList(ids, {
          abortSignal,
          conditions,
          metadata: blobMetadata(context.runId, { kind: entry.kind, mtime, mode }),
          blobHTTPHeaders: blobHeaders(entry.path, hash),
        }),
      ),
    keepOld(blob, context.keep),
  );
  return result(entry, put, mtime, mode, "copied");
}

/** The MD5 of a whole file, in base64. */
async function hashOf(file: OpenFile, context: CopyContext): Promise<string> {
  const { size } = file.stats;
  const hash = createHash("md5");
  await context.budget.bytes(BLOCK, async () => {
    const buffer = Buffer.allocUnsafe(Math.min(BLOCK, size));
    for (let position = 0; position < size; position += BLOCK) {
      const chunk = buffer.subarray(0, Math.min(BLOCK, size - position));
      await withTimeout(file.read(chunk, position), context.fileTimeoutMs, "reading it");
      hash.update(chunk);
    }
  });
  await file.assertUnchanged();
  return hash.digest("base64");
}

function blobOf(entry: Entry, context: CopyContext): BlockBlobClient {
  return context.container.getBlockBlobClient(blobName(entry.path, context.prefix));
}

/** What keeps the content that is about to be overwritten, where that does not happen by itself. */
export function keepOld(blob: BlockBlobClient, keep: Keep): ((etag: string) => Promise<unknown>) | undefined {
  if (keep !== "snapshots") return undefined;
  return (etag: string) =>
    withRetries((abortSignal) => blob.createSnapshot({ abortSignal, conditions: { ifMatch: etag } }));
}

function result(
  entry: Entry,
  put: Put,
  mtime: number,
  mode: number,
  outcome: "copied" | "unchanged",
): Outcome {
  return { path: entry.path, outcome, kind: entry.kind, size: put.size, mtime, mode, md5: put.md5 };
}

/** The outcome for an error that concerns this file alone; any other is thrown on. */
export function explain(entry: Entry, error: unknown): Outcome {
  const outcome = (name: Outcome["outcome"], reason: string): Outcome => ({
    path: entry.path,
    outcome: name,
    kind: entry.kind,
    size: 0,
    reason,
  });
  if (error instanceof NotAFile) return outcome("skipped", `now ${error.what}`);
  if (error instanceof ChangedWhileReading) return outcome("failed", `changed while reading, ${READS} times`);
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const syscall = (error as NodeJS.ErrnoException | undefined)?.syscall;
  if (syscall !== undefined && typeof code === "string" && classify(error) === "other") {
    if (code === "ENOENT" || code === "ENOTDIR") return outcome("vanished", "gone when it was to be copied");
    if (code === "ELOOP") return outcome("skipped", "now a symbolic link");
    return outcome("failed", fileError(code));
  }
  if (error instanceof Error && error.name === "FileTimeout") return outcome("failed", error.message);
  if (classify(error) === "invalid" || classify(error) === "conflict") {
    return outcome("failed", error instanceof Error ? error.message.split("\n", 1)[0]! : String(error));
  }
  throw error;
}

const FILE_ERRORS: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EIO: "input/output error: the disk or the share failed",
  ESTALE: "stale file handle: the share was mounted anew",
  EMFILE: "too many open files in this process; lower BACKUP_REQUESTS_IN_FLIGHT",
  ENFILE: "too many open files on this machine",
  ENAMETOOLONG: "its path is longer than the file system allows",
  EBUSY: "in use by another program",
  ENXIO: "no such device",
};

/** A file system's error code with words. */
export function fileError(code: string): string {
  return FILE_ERRORS[code] ? `${FILE_ERRORS[code]} (${code})` : code;
}
