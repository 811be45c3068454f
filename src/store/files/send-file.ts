import { createHash } from "node:crypto";
import type { OpenFile } from "../../files/read-file.ts";
import { attributesOf, type Entry } from "../../model/entry.ts";
import { whatHolds } from "../../model/held.ts";
import type { Outcome } from "../../model/outcome.ts";
import { BLOCK } from "../../storage/budget.ts";
import { digestOf, resumeMd5, stateOf } from "../../storage/resumable-md5.ts";
import { NotStored, type Sent, type Upload } from "../storing.ts";
import { blobMetadata } from "./blob-headers.ts";
import { commitBlocks, sendBlocks } from "./block-upload.ts";
import { markOf, uncommittedBlocks } from "./blocks.ts";
import { findWritten, isAboutBlocks } from "./conflict.ts";
import { lookUp } from "./look-up.ts";
import { blobOf, putContent, storedOutcome, type Writing } from "./put-content.ts";
import { readBlocks } from "./read-blocks.ts";
import { hasContent, md5ToMatch } from "./same-content.ts";

const WHOLE = { from: 0, until: Infinity };

/** Stores a file, and closes it before the last request, which needs a handle too. */
export async function sendFile(entry: Entry, file: OpenFile, writing: Writing): Promise<Outcome> {
  const { size } = file;
  if (size > BLOCK) return await sendByBlocks(entry, file, writing);
  return await writing.budget.content(size, async (content) => {
    await file.read(content, 0);
    await file.assertUnchanged();
    await file.close();
    return await putContent(entry, { content, attributes: attributesOf(file.stats) }, writing);
  });
}

async function sendByBlocks(entry: Entry, file: OpenFile, writing: Writing): Promise<Outcome> {
  const blob = blobOf(entry, writing);
  if (mayBeThere(entry, file)) {
    const hash = createHash("md5");
    await readBlocks(file, WHOLE, hash, writing.budget);
    const unchanged = await ifThere(entry, file, hash.digest("base64"), writing);
    if (unchanged) return unchanged;
  }
  const send = async (mark: string) => {
    const hash = createHash("md5");
    await sendBlocks(file, { blob, mark }, WHOLE, hash, writing);
    return { mark, md5: hash.digest("base64") };
  };
  const { mark, md5 } = await send(markOf()).catch(async (error: unknown) => {
    if (!isAboutBlocks(error)) throw error;
    return await send(markOf(undefined, await uncommittedBlocks(blob)));
  });
  await file.close();
  const put = await commitBlocks(entry, file, { blob, mark }, md5, writing);
  return storedOutcome(entry, put, attributesOf(file.stats));
}

/** How far a large file is sent, or read to find out whether its blob has the same content. */
interface SentBlocks extends Sent {
  comparing?: true;
}

/** Sends a span of a large file; see Store. */
export async function sendSpan(
  entry: Entry,
  file: OpenFile,
  { attempt, sent, until }: Upload & { sent?: SentBlocks },
  writing: Writing,
): Promise<{ sent: SentBlocks } | { outcome: Outcome }> {
  const { budget } = writing;
  const { size } = file;
  const blob = blobOf(entry, writing);
  const comparing = sent ? sent.comparing : mayBeThere(entry, file) || undefined;
  if (!sent && !comparing && entry.existing?.held !== undefined) {
    // Do not send for nothing. A lease may have ended since the blob was listed.
    const held = (await lookUp(blob))?.held;
    if (held !== undefined) throw new NotStored(`its blob ${whatHolds(held)}`);
  }
  const hash = await resumeMd5(sent?.state);
  const span = { from: sent?.position ?? 0, until };
  if (comparing) {
    const position = await readBlocks(file, span, hash, budget);
    if (position < size) return { sent: { position, state: stateOf(hash), comparing } };
    const unchanged = await ifThere(entry, file, digestOf(hash), writing);
    return unchanged ? { outcome: unchanged } : { sent: { position: 0 } };
  }
  const there = await uncommittedBlocks(blob);
  // Another delivery may have committed the blob without recording it.
  const before = there.size === 0 ? await findWritten(blob, { entry, runId: writing.runId }) : undefined;
  if (before) return { outcome: storedOutcome(entry, before, attributesOf(file.stats)) };
  const mark = markOf(attempt, there);
  const position = await sendBlocks(file, { blob, mark, there }, span, hash, writing);
  if (position < size) return { sent: { position, state: stateOf(hash) } };
  const put = await commitBlocks(entry, file, { blob, mark }, digestOf(hash), writing);
  return { outcome: storedOutcome(entry, put, attributesOf(file.stats)) };
}

function mayBeThere(entry: Entry, { size }: OpenFile): boolean {
  return size > 0 && md5ToMatch(entry, size) !== undefined;
}

/** The outcome of a file whose blob has the content already. */
async function ifThere(
  entry: Entry,
  { size, stats }: OpenFile,
  md5: string,
  writing: Writing,
): Promise<Outcome | undefined> {
  const attributes = attributesOf(stats);
  const metadata = blobMetadata(entry, attributes, writing);
  const stored = { md5, size };
  const etag = await hasContent(entry, stored, () => blobOf(entry, writing), metadata);
  return etag === undefined
    ? undefined
    : storedOutcome(entry, { ...stored, etag, wasThere: true }, attributes);
}
