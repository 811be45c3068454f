import type { BlockBlobClient, ContainerClient } from "@azure/storage-blob";
import { contentType, md5 } from "../../model/content.ts";
import { type Attributes, type Entry } from "../../model/entry.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { Budget } from "../../storage/budget.ts";
import type { PutBlobRequests } from "../../storage/put-blob-request.ts";
import { retrying, withRetries } from "../../storage/retries.ts";
import type { InMemory } from "../storing.ts";
import { unchanged } from "../unchanged.ts";
import { blobMetadata } from "./blob-headers.ts";
import { blobName } from "./blob-name.ts";
import { putAsBlock } from "./blocks.ts";
import type { PutResult } from "./look-up.ts";
import type { OldContent } from "./old-content.ts";
import { putBlob } from "./put-blob.ts";
import { hasContent } from "./same-content.ts";

/** What writing a run's blobs needs. */
export interface Writing {
  runId: string;
  root: string;
  container: ContainerClient;
  prefix: string;
  /** Sends blobs that are small enough for one request. */
  requests: PutBlobRequests;
  oldContent: OldContent;
  budget: Budget;
}

/** The blob of an entry. */
export function blobOf(entry: Entry, { container, prefix }: Writing): BlockBlobClient {
  return container.getBlockBlobClient(blobName(entry.path, prefix));
}

/** Stores a content in one request, unless its blob has it already. */
export async function putContent(
  entry: Entry,
  { content, attributes, hash: base64 = md5(content).toString("base64") }: InMemory,
  writing: Writing,
): Promise<Outcome> {
  const { budget, requests, prefix, runId, oldContent } = writing;
  const stored = { md5: base64, size: content.length };
  const blob = () => blobOf(entry, writing);
  const metadata = blobMetadata(entry, attributes, writing);
  const etag = await hasContent(entry, stored, blob, metadata);
  if (etag !== undefined) return storedOutcome(entry, { ...stored, etag, wasThere: true }, attributes);
  const name = blobName(entry.path, prefix);
  const whole = { name, content, md5: base64, contentType: contentType(entry.path), metadata };
  const put = await putBlob(
    blob,
    { ...stored, entry, runId },
    (conditions, blocksThere) =>
      budget.request(() =>
        blocksThere
          ? withRetries((signal) => putAsBlock(blob(), { ...whole, conditions }, signal), content.length)
          : retrying((timeout) => requests.put({ ...whole, conditions }, timeout), content.length),
      ),
    oldContent,
  );
  return storedOutcome(entry, put, attributes);
}

/** The outcome of an entry whose content is in its blob. */
export function storedOutcome(
  { path, kind }: Entry,
  { size, md5, etag, adopted, wasThere }: PutResult,
  attributes: Attributes,
): Outcome {
  const { mtime, ctime, mode } = adopted ?? attributes;
  // A link's content is its target, and its size is 0.
  const bytes = kind === "link" ? 0 : size;
  const entry = { path, kind, size: bytes, mtime, mode, ...(ctime === undefined ? {} : { ctime }) };
  return { ...unchanged(entry, { md5, etag }), outcome: wasThere ? "unchanged" : "copied" };
}
