import { createHash } from "node:crypto";
import type { OpenFile } from "../files/read-file.ts";
import { attributesOf, md5ToMatch, type Entry } from "../model/entry.ts";
import type { Outcome } from "../model/outcome.ts";
import { blobMetadata } from "../store/files/blob-headers.ts";
import { markOf, uncommittedBlocks } from "../store/files/block-ids.ts";
import { commitBlocks, sendBlocks } from "../store/files/block-upload.ts";
import { isAboutBlocks } from "../store/files/not-written.ts";
import { readBlocks } from "../store/files/read-blocks.ts";
import { blobOf, type CopyContext } from "./copy-context.ts";
import { contentOutcome } from "./copy-outcome.ts";
import { hasContent } from "./same-content.ts";

const WHOLE = { from: 0, until: Infinity };

/** Copies a file that is too large for one request, unless its blob has the same content already. */
export async function copyByBlocks(entry: Entry, file: OpenFile, context: CopyContext): Promise<Outcome> {
  const { size } = file;
  const attributes = attributesOf(file.stats);
  const blob = blobOf(entry, context);
  if (md5ToMatch(entry, size) !== undefined) {
    const hash = createHash("md5");
    await readBlocks(file, WHOLE, hash, context.budget);
    const stored = { md5: hash.digest("base64"), size };
    if (await hasContent(entry, stored, () => blob, blobMetadata(entry, attributes, context))) {
      return contentOutcome(entry, { ...stored, wasThere: true }, attributes);
    }
  }
  const send = async (mark: string) => {
    const hash = createHash("md5");
    await sendBlocks(file, { blob, mark }, WHOLE, hash, context.budget);
    return { mark, md5: hash.digest("base64") };
  };
  const sent = await send(markOf()).catch(async (error: unknown) => {
    if (!isAboutBlocks(error)) throw error;
    return await send(markOf(undefined, await uncommittedBlocks(blob)));
  });
  await file.close();
  return contentOutcome(
    entry,
    await commitBlocks(entry, file, { blob, mark: sent.mark }, sent.md5, context),
    attributes,
  );
}
