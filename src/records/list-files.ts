import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { LEDGER_CONTAINER } from "../backup/request.ts";
import { withRetries } from "../storage/retries.ts";
import { fromToken, toToken } from "./continuation.ts";
import { listPages } from "./list-blobs.ts";
import { fileOutcome, type Damage, type FileOutcome, type FilePage, type FilesQuery } from "./schema.ts";

/** Where a page ended: a record of outcomes, and the byte after the last line that was looked at. */
const place = z.object({ record: z.string(), offset: z.int().min(0) });
type Place = z.infer<typeof place>;

/** Bytes of the ledger that one page reads, about; a filter that finds little gives a short page and goes on later. */
const MOST_BYTES = 16 * 1024 * 1024;
const CHUNK = 1024 * 1024;

/**
 * A page of what became of a run's files, in the order of the ledger. A page may be short, or empty, and yet have a
 * continuation. While the run goes on, files may be added before the place where a page ended.
 * @throws BadContinuation
 */
export async function listFiles(
  service: BlobServiceClient,
  run: string,
  query: FilesQuery,
): Promise<FilePage> {
  const from = query.continuation === undefined ? undefined : fromToken(place, query.continuation);
  const files: FileOutcome[] = [];
  const damaged: Damage[] = [];
  const page = (at?: Place): FilePage => ({
    run,
    files,
    ...(damaged.length === 0 ? {} : { damaged }),
    ...(at ? { continuation: toToken(at) } : {}),
  });
  let read = 0;
  for await (const { blobs } of listPages(service, `${run}/outcomes/`)) {
    for (const { name, properties, metadata } of blobs) {
      const record = name.slice(run.length + 1);
      if (from && record < from.record) continue;
      if (hasNone(metadata, query.outcome)) continue;
      const start = from?.record === record ? from.offset : 0;
      const length = properties.contentLength ?? 0;
      for await (const { text, offset, next } of linesOf(service, name, start, length)) {
        if (files.length === query.limit || read > MOST_BYTES) return page({ record, offset });
        read += next - offset;
        const outcome = parse(text);
        if (!outcome) damaged.push({ record, offset });
        else if (isWanted(outcome, query)) files.push(outcome);
      }
    }
  }
  return page();
}

/** Whether a record has no file of an outcome, by its counts. Directories that did not fail are counted apart. */
function hasNone(counts: Record<string, string> | undefined, outcome: FilesQuery["outcome"]): boolean {
  if (!outcome || counts?.[outcome] !== "0") return false;
  return outcome === "failed" || counts["directories"] === "0";
}

function isWanted(file: FileOutcome, { outcome, prefix, text }: FilesQuery): boolean {
  return (
    (outcome === undefined || file.outcome === outcome) &&
    (!prefix || file.path.startsWith(prefix)) &&
    (!text || contains(file.path, text) || contains(file.reason ?? "", text))
  );
}

function contains(whole: string, part: string): boolean {
  return whole.toLowerCase().includes(part.toLowerCase());
}

function parse(text: string): FileOutcome | undefined {
  try {
    return fileOutcome.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The lines of a blob from a byte on, fetched in pieces; `next` is the byte after the line and its newline. */
async function* linesOf(service: BlobServiceClient, name: string, start: number, length: number) {
  const blob = service.getContainerClient(LEDGER_CONTAINER).getBlockBlobClient(name);
  let begun: Buffer = Buffer.alloc(0);
  let offset = start;
  for (let at = start; at < length; at += CHUNK) {
    const piece = Math.min(CHUNK, length - at);
    const bytes = await withRetries(
      (abortSignal) => blob.downloadToBuffer(at, piece, { abortSignal }),
      piece,
    );
    const buffer = Buffer.concat([begun, bytes]);
    let from = 0;
    for (let to = buffer.indexOf(10); to >= 0; to = buffer.indexOf(10, from)) {
      const next = offset + (to + 1 - from);
      yield { text: buffer.toString("utf8", from, to), offset, next };
      from = to + 1;
      offset = next;
    }
    begun = buffer.subarray(from);
  }
  // The last line of a record that was cut short.
  if (begun.length > 0) yield { text: begun.toString("utf8"), offset, next: offset + begun.length };
}
