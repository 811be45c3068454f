import type { BlobItem, BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { LEDGER_CONTAINER } from "../model/names.ts";
import { blobPages, type BlobPage } from "../storage/blob-pages.ts";
import { classify } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";
import { BadContinuation, fromToken, toToken } from "./pages.ts";
import type { Damage } from "./schema.ts";

/**
 * About how many bytes of the ledger one page reads. A filter that matches little gives a short page with a
 * continuation.
 */
const MOST_BYTES = 16 * 1024 * 1024;
const CHUNK = 1024 * 1024;

/** Which lines of a run's ledger to list. */
interface LinesOf<T> {
  /** Below the run's folder, ending in a slash. */
  folder: string;
  schema: z.ZodType<T>;
  /** Whether a record can be skipped: none of its lines is wanted. */
  skips: (record: BlobItem) => boolean;
  wants: (line: T) => boolean;
}

/** A page of lines, the records that could not be read, and where to continue. */
interface LinePage<T> {
  items: T[];
  damaged?: Damage[];
  continuation?: string;
}

/** Where a page ended: a record of the ledger, and the byte after the last line that was read. */
const place = z.object({ record: z.string(), offset: z.int().min(0) });
type Place = z.infer<typeof place>;

/**
 * A page of the lines of a run's ledger, in its order.
 * @throws BadContinuation
 */
export async function listLines<T>(
  service: BlobServiceClient,
  run: string,
  { limit, continuation }: { limit: number; continuation?: string | undefined },
  { folder, schema, skips, wants }: LinesOf<T>,
): Promise<LinePage<T>> {
  const from = continuation === undefined ? undefined : fromToken(place, continuation);
  const items: T[] = [];
  const damaged: Damage[] = [];
  const page = (at?: Place): LinePage<T> => ({
    items,
    ...(damaged.length === 0 ? {} : { damaged }),
    ...(at ? { continuation: toToken(at) } : {}),
  });
  let read = 0;
  for await (const { blobs } of listPages(service, `${run}/${folder}`)) {
    for (const blob of blobs) {
      const record = blob.name.slice(run.length + 1);
      if ((from && record < from.record) || skips(blob)) continue;
      const start = from?.record === record ? from.offset : 0;
      const length = blob.properties.contentLength ?? 0;
      for await (const { text, offset, next } of linesOf(service, blob.name, start, length)) {
        if (items.length === limit || read > MOST_BYTES) return page({ record, offset });
        read += next - offset;
        const line = parse(schema, text);
        if (line === undefined) damaged.push({ record, offset });
        else if (wants(line)) items.push(line);
      }
    }
  }
  return page();
}

function parse<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
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

/**
 * The blobs below a prefix of the ledger container, with metadata, one list call a page. None if the container does
 * not exist.
 * @param options from: a marker, as a caller returned it
 * @throws BadContinuation for a marker that the service did not issue
 */
export async function* listPages(
  service: BlobServiceClient,
  prefix: string,
  options: { from?: string | undefined } = {},
): AsyncGenerator<BlobPage> {
  const container = service.getContainerClient(LEDGER_CONTAINER);
  try {
    yield* blobPages(container, { prefix, includeMetadata: true }, options);
  } catch (error) {
    if (options.from !== undefined && classify(error) === "invalid") throw new BadContinuation();
    throw error;
  }
}
