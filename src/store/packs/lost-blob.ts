import { classify, describe } from "../../storage/errors.ts";
import { Lost } from "../fetching.ts";

/**
 * What an error in reading a blob means for a content in it.
 * @param what the blob, as the beginning of a sentence
 * @returns Lost, or the error itself if it says nothing of the blob
 */
export function lostBlob(what: string, error: unknown): unknown {
  const failure = classify(error);
  const cause = { cause: error };
  if (failure === "missing") return new Lost(`${what} is missing`, cause);
  if (failure === "invalid") return new Lost(`${what} is cut short`, cause);
  return failure === "held" ? new Lost(`${what} cannot be read: ${describe(error)}`, cause) : error;
}
