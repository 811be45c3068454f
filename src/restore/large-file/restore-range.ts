import { constants } from "node:fs";
import { open, unlink, type FileHandle } from "node:fs/promises";
import type { BlobServiceClient } from "@azure/storage-blob";
import pMap from "p-map";
import { Ledger } from "../../ledger/ledger.ts";
import { heartbeat } from "../../ledger/alive.ts";
import { blobName } from "../../model/blob-name.ts";
import type { Budget } from "../../storage/budget.ts";
import { awaitingHandles, HOLDING_A_FILE_MS } from "../../files/handles.ts";
import { openOwn } from "../../files/own-directory.ts";
import { ignore } from "../../files/pinned-directory.ts";
import { tidyInTime, withTimeout } from "../../files/timeout.ts";
import { isCanceled } from "../../ledger/run-record.ts";
import type { Settings } from "../../settings.ts";
import { classify } from "../../storage/errors.ts";
import { keptBlob } from "../../storage/get-blob-request.ts";
import { LONGEST_HASHED_RANGE, readChecked } from "../../storage/read-checked.ts";
import { resumeMd5, stateOf } from "../../storage/resumable-md5.ts";
import { byDirectory, inDirectory } from "../../files/in-directory.ts";
import { writeSparse } from "../../files/write-sparse.ts";
import {
  openLargeRestore,
  readAttempt,
  refusalOf,
  type LargeRestore,
  type RestoreAttemptRef,
} from "./attempt.ts";
import { flush } from "../attributes.ts";
import { RANGE } from "./begin-and-end.ts";

/**
 * What came of a piece: "moved" when the content has become another blob's, "gone" when the temporary file is not here:
 * somebody removed it, or this machine has another directory of that name than the one that began.
 */
export type RestoredPiece = "done" | "moved" | "gone";

/** Requests of a range that are open at a time. */
const AT_A_TIME = 4;

/** Fetches one range and writes it into the temporary file. Each request is checked by the MD5 that the service gives. */
export async function restoreRange(
  ref: RestoreAttemptRef & { range: number },
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<RestoredPiece> {
  return await withTemporary(ref, constants.O_WRONLY, service, settings, budget, async (handle, large) => {
    const { item, context, source } = large;
    const blob = keptBlob(context.container, { ...source, name: blobName(item.path, context.prefix) });
    const from = ref.range * RANGE;
    const to = Math.min(from + RANGE, item.size);
    const positions = Array.from(
      { length: Math.ceil((to - from) / LONGEST_HASHED_RANGE) },
      (_none, index) => from + index * LONGEST_HASHED_RANGE,
    );
    try {
      await pMap(
        positions,
        async (offset) => {
          const length = Math.min(LONGEST_HASHED_RANGE, to - offset);
          await budget.bytes(length, async () => {
            const { content, etag } = await budget.request(() =>
              readChecked(blob, { offset, length }, { patience: HOLDING_A_FILE_MS }),
            );
            if (content.length !== length || !isOf(etag, source.etag)) throw new Moved();
            await withTimeout(writeSparse(handle, content, offset), settings.fileTimeoutMs, "writing it");
          });
        },
        { concurrency: AT_A_TIME },
      );
    } catch (error) {
      if (error instanceof Moved || classify(error) === "missing") return "moved";
      throw error;
    }
    // That it is refused is told when the whole file is flushed.
    await withTimeout(flush(handle), settings.fileTimeoutMs, "flushing it");
    return "done";
  });
}

class Moved extends Error {}

/** Lists give ETags without the quotes that they have in a header. */
function isOf(etag: string, wanted: string | undefined): boolean {
  return wanted === undefined || etag.replaceAll('"', "") === wanted.replaceAll('"', "");
}

/** The hash's state, and where it is when the time was up before the span's end. */
export type HashedRestored = { state: string; reached?: number } | "gone";

/** Goes on with the MD5 of what was written, for a bounded time, as hashSpan does with that of what is read. */
export async function hashRestored(
  ref: RestoreAttemptRef & { from: number; to: number; state?: string },
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
): Promise<HashedRestored> {
  const hash = await resumeMd5(ref.state);
  const until = performance.now() + settings.listMs;
  let position = ref.from;
  const piece = await withTemporary(ref, constants.O_RDONLY, service, settings, budget, async (handle) => {
    await budget.content(LONGEST_HASHED_RANGE, async (buffer) => {
      while (position < ref.to && (position === ref.from || performance.now() < until)) {
        const length = Math.min(buffer.length, ref.to - position);
        const read = handle.read(buffer, 0, length, position);
        const { bytesRead } = await withTimeout(read, settings.fileTimeoutMs, "reading it back");
        hash.update(buffer.subarray(0, bytesRead));
        // Shorter than what was written: the hash will tell.
        position = bytesRead === 0 ? ref.to : position + bytesRead;
      }
    });
    return "done";
  });
  if (piece !== "done") return "gone";
  await heartbeat(new Ledger(service, ref.run), ref.from, position);
  return { state: stateOf(hash), ...(position < ref.to ? { reached: position } : {}) };
}

async function withTemporary(
  ref: RestoreAttemptRef,
  flags: number,
  service: BlobServiceClient,
  settings: Settings,
  budget: Budget,
  work: (
    handle: FileHandle,
    large: LargeRestore & { source: LargeRestore["item"]["source"] },
  ) => Promise<RestoredPiece>,
): Promise<RestoredPiece> {
  const large = await openLargeRestore(ref, service, settings, budget);
  const attempt = large && (await readAttempt(large, ref));
  if (!large || !attempt) {
    throw new Error(`The ledger of run ${ref.run} has no large file ${ref.large} of part ${ref.part}.`);
  }
  const refused = await refusalOf(large, settings);
  if (refused !== undefined) throw new Error(refused);
  const [parent] = byDirectory([large.item]).keys();
  if (parent === undefined) return "gone";
  const opening = async (): Promise<FileHandle> => {
    const directory = await openOwn(large.scope.realTo, parent);
    try {
      return await open(directory.path(attempt.temporary), flags | (constants.O_NOFOLLOW ?? 0));
    } finally {
      await directory.close();
    }
  };
  let handle: FileHandle | undefined;
  try {
    if (!large.canceled) {
      handle = await awaitingHandles(() =>
        withTimeout(opening(), settings.fileTimeoutMs, "opening it", (late) => late.close()),
      );
      const piece = await work(handle, { ...large, source: attempt.source });
      if (!(await isCanceled(large.ledger))) return piece;
    }
    // Half a huge file must not stay where nobody will ever finish it.
    await inDirectory(large.context, parent, (directory) =>
      unlink(directory.path(attempt.temporary)).catch(ignore("ENOENT")),
    );
    return "gone";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "gone";
    throw error;
  } finally {
    await tidyInTime(handle?.close(), settings.fileTimeoutMs);
  }
}
