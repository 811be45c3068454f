/**
 * Streamed answers. @azure/functions writes a body as fast as it gets it, whether or not the client reads it, and leaves the
 * answer open if the body fails. So its answers are tracked here, through Node's diagnostics channel.
 */
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { ReadableStream } from "node:stream/web";
import { HttpProblem } from "./problem.ts";

/** Concurrent answers: each holds a few MiB. */
const MOST = 32;
/** The longest answer, in milliseconds: when its function times out, the host ends the process. */
const LONGEST_MS = 240_000;

/** What @azure/functions is writing, by the id of the invocation. */
const written = new Map<string, ServerResponse>();
const streamed = new Set<ServerResponse>();

subscribe("http.server.request.start", (message) => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  const id = request.headers["x-ms-invocation-id"];
  if (typeof id !== "string") return;
  written.set(id, response);
  response.once("close", () => {
    written.delete(id);
    streamed.delete(response);
  });
});

/**
 * A body that is read no faster than the client takes it, and not once the client is gone. If reading fails, so does the
 * answer, so that the client sees that it is incomplete.
 * @param describeError the error that the invocation then fails with, which the host logs
 * @returns undefined if there is nothing to read
 * @throws HttpProblem 503 if too many answers are being streamed; what reading the first piece throws
 */
export async function stream(
  invocationId: string,
  pieces: AsyncGenerator<Buffer, void>,
  describeError: (error: unknown) => Error,
): Promise<ReadableStream | undefined> {
  const answer = written.get(invocationId);
  if (streamed.size >= MOST)
    throw new HttpProblem(503, `The app is sending ${MOST} files already. Try again when one is done.`);
  if (answer) streamed.add(answer);
  const until = performance.now() + LONGEST_MS;
  let first = await pieces.next();
  // Content that must be verified first yields empty pieces until it is.
  while (first.value?.length === 0) {
    if (answer?.destroyed || performance.now() > until) {
      await pieces.return();
      throw new HttpProblem(503, "Checking the content took too long. Restore the file instead.");
    }
    first = await pieces.next();
  }
  return first.done
    ? undefined
    : ReadableStream.from(paced(answer, first.value, until, pieces, describeError));
}

async function* paced(
  answer: ServerResponse | undefined,
  first: Buffer,
  until: number,
  rest: AsyncGenerator<Buffer, void>,
  describeError: (error: unknown) => Error,
): AsyncGenerator<Buffer> {
  const gone = new AbortController();
  answer?.once("close", () => gone.abort());
  let isLate = false;
  const over = setTimeout(() => {
    isLate = true;
    answer?.destroy();
  }, until - performance.now());
  try {
    for (let piece: Buffer | void = first; piece && !answer?.destroyed; piece = (await rest.next()).value) {
      yield piece;
      if (answer?.writableNeedDrain) await once(answer, "drain", gone).catch(() => undefined);
    }
    if (isLate) throw new Error(`it took longer than ${LONGEST_MS / 1000} seconds`);
  } catch (error) {
    answer?.destroy();
    throw describeError(error);
  } finally {
    clearTimeout(over);
    await rest.return();
  }
}
