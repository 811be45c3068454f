/** What can happen to a request or an answer on its way between the app and storage. */
import type { ServerResponse } from "node:http";
import { Transform } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

export type WireFault =
  /** The connection is closed without an answer. */
  | "drop"
  /** The connection is reset (RST). */
  | "reset"
  /** A half-open socket: the request is taken, and nothing ever comes back. */
  | "hang"
  /** Storage's own front end answers instead of storage. */
  | { status: number; code: string }
  /** One bit of the body is flipped on the way to storage ("up") or back ("down"). */
  | { flip: "up" | "down" }
  /** The body comes through at so many bytes a second. */
  | { trickle: "up" | "down"; bytesPerSecond: number };

export const SERVER_BUSY: WireFault = { status: 503, code: "ServerBusy" };
export const TOO_MANY: WireFault = { status: 429, code: "TooManyRequests" };
export const INTERNAL_ERROR: WireFault = { status: 500, code: "InternalError" };
export const FORBIDDEN: WireFault = { status: 403, code: "AuthorizationFailure" };

/** Answers as Blob Storage does when it refuses. */
export function refuse(outgoing: ServerResponse, { status, code }: { status: number; code: string }): void {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  outgoing.writeHead(status, {
    "content-type": "application/xml",
    "content-length": Buffer.byteLength(body),
    "x-ms-error-code": code,
  });
  outgoing.end(body);
}

/** Passes everything on, with one bit of it flipped: the lowest of the byte in the middle of the first chunk. */
export function flipOneBit(): Transform {
  let done = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      if (done || chunk.length === 0) return next(null, chunk);
      done = true;
      const damaged = Buffer.from(chunk);
      const at = damaged.length >> 1;
      damaged[at] = damaged[at]! ^ 1;
      return next(null, damaged);
    },
  });
}

/** Passes everything on, slowly. */
export function trickleAt(bytesPerSecond: number): Transform {
  const step = Math.max(1, Math.floor(bytesPerSecond / 20));
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      void (async () => {
        for (let at = 0; at < chunk.length && !this.destroyed; at += step) {
          this.push(chunk.subarray(at, at + step));
          await sleep(50);
        }
        next();
      })();
    },
  });
}
