import type { z } from "zod";

/** A continuation that this app did not hand out, or not for this list. */
export class BadContinuation extends Error {
  constructor() {
    super("not one that an earlier page gave; begin anew without it");
  }
}

/** A place in a list as a token: opaque to callers, who give it back as it is. */
export function toToken(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** @throws BadContinuation */
export function fromToken<T>(schema: z.ZodType<T>, token: string): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(token, "base64url").toString("utf8")));
  } catch {
    throw new BadContinuation();
  }
}
