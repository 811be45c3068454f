import { createHash } from "node:crypto";
import type { VerifyRequest } from "./request.ts";

/** Whether the content of a file is to be read: decided by its path alone, so that two verifications read the same. */
export function isSampled(path: string, readData: VerifyRequest["readData"]): boolean {
  if (typeof readData === "boolean") return readData;
  const share = Number.parseFloat(readData) / 100;
  return createHash("sha256").update(path).digest().readUInt32BE(0) / 2 ** 32 < share;
}
