import { createHash, type Hash } from "node:crypto";
import { TIMEOUT_MS, Unreachable, whyUnreachable } from "./api.ts";
import { Failure, Refusal } from "./failure.ts";
import { outJson } from "./print.ts";
import type { Session } from "./session.ts";

/** How long to try again after the last byte. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 1_000;

/** Characters of an ETag that is a SHA-256 in base64, with its quotes. */
const SHA256_ETAG = 46;

/** Takes bytes of a content, in order. */
export type Take = (bytes: Uint8Array) => Promise<void>;

/**
 * Fetches the content of a file of a backup, each byte once. If an answer is cut short, it continues from there.
 * @param path escaped
 * @throws Failure; if the content is not what the backup recorded, only once all of it was taken
 */
export async function download(session: Session, run: string, path: string, take: Take): Promise<void> {
  let hash: Hash | undefined;
  let etag: string | undefined;
  let position = 0;
  let lost: number | undefined;
  for (let isWhole = false; !isWhole;) {
    try {
      const answer = await ask(session, run, path, { etag, position });
      if (etag === undefined) hash = hashIn(answer.etag);
      etag ??= answer.etag;
      if (answer.etag !== etag) throw new Failure(`${path}: the app now sends a different content.`);
      for await (const bytes of answer.body) {
        hash?.update(bytes);
        await take(bytes);
        position += bytes.length;
        lost = undefined;
      }
      isWhole = answer.end === undefined || position >= answer.end;
      if (!isWhole) throw new Unreachable(`${path}: the answer ended too early.`);
    } catch (error) {
      session.interruption.signal.throwIfAborted();
      lost ??= Date.now();
      if (!(error instanceof Unreachable) || Date.now() - lost > PATIENCE_MS) throw error;
      await session.interruption.sleep(PAUSE_MS);
    }
  }
  if (hash && etag !== `"${hash.digest("base64")}"`)
    throw new Failure("what arrived is not what the backup recorded; the content may be damaged");
}

/** The hash to verify a content with, by the length of its ETag; undefined if that is no hash: then only the app verifies. */
function hashIn(etag: string): Hash | undefined {
  if (etag.startsWith('"chunks-')) return undefined;
  return createHash(etag.length === SHA256_ETAG ? "sha256" : "md5");
}

/**
 * The same for a command that prints one file.
 * @throws Failure that says what to do with a directory
 */
export async function downloadOne(session: Session, run: string, path: string, take: Take): Promise<void> {
  try {
    await download(session, run, path, take);
  } catch (error) {
    if (!(error instanceof Refusal) || error.problem["status"] !== 400) throw error;
    await session.api.tree(run, { path, limit: "1" });
    throw new Failure(`${path || "/"} is a directory: ls lists it, and get downloads it.`, { cause: error });
  }
}

interface Answer {
  etag: string;
  /** Where the content ends, if the answer says so. */
  end: number | undefined;
  /** From the position on. */
  body: AsyncIterable<Uint8Array>;
}

async function ask(
  { api, interruption }: Session,
  run: string,
  path: string,
  { etag, position }: { etag: string | undefined; position: number },
): Promise<Answer> {
  const silence = new AbortController();
  const signal = AbortSignal.any([silence.signal, interruption.signal]);
  // A proxy may not compress it: then a position would mean nothing.
  const headers = {
    "accept-encoding": "identity",
    ...(etag === undefined ? {} : { range: `bytes=${position}-`, "if-range": etag }),
  };
  const timed = async <T>(step: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => silence.abort(new DOMException("silent", "TimeoutError")), TIMEOUT_MS);
    try {
      return await step;
    } finally {
      clearTimeout(timer);
    }
  };
  const response = await timed(api.content(run, path, headers, signal));
  const [, from = "0", all] =
    /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  const length = all ?? response.headers.get("content-length");
  return {
    etag: response.headers.get("etag")?.replace(/^W\//, "") ?? "",
    end: length === null ? undefined : Number(length),
    body: after(position - Number(from), piecesOf(response, timed)),
  };
}

/** An answer's body. @throws Unreachable if it is cut short */
async function* piecesOf(
  { body }: Response,
  timed: <T>(step: Promise<T>) => Promise<T>,
): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  try {
    while (reader) {
      const { done, value } = await timed(reader.read()).catch((error: unknown) => {
        throw new Unreachable(`The app's answer was cut short (${whyUnreachable(error)}).`);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}

/** What follows the first bytes. */
async function* after(skipped: number, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = skipped;
  for await (const bytes of pieces) {
    if (left < bytes.length) yield left === 0 ? bytes : bytes.subarray(left);
    left = Math.max(0, left - bytes.length);
  }
}

/** Prints a content in JSON lines. */
export function asJson(path: string): Take {
  let offset = 0;
  return (bytes) => {
    outJson({ type: "content", path, offset, base64: Buffer.from(bytes).toString("base64") });
    offset += bytes.length;
    return Promise.resolve();
  };
}
