import type { z } from "zod";

/** A continuation that this app did not issue, or issued for another list. */
export class BadContinuation extends Error {
  constructor() {
    super("not one that an earlier page returned; start again without it");
  }
}

/** A place in a list as an opaque token. */
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
