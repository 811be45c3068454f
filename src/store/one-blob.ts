import { classify, describe } from "../storage/errors.ts";
import { NotStored } from "./storing.ts";

/** Turns what the service refuses for one blob into NotStored. @throws any other error */
export async function ofOneBlob<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!["invalid", "conflict", "held"].includes(classify(error))) throw error;
    throw new NotStored(describe(error), { cause: error });
  }
}
