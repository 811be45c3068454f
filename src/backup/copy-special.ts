import { lookAtDirectory, readLink } from "../files/read-link.ts";
import { withTimeout } from "../files/timeout.ts";
import { attributesOf, type Entry } from "../model/entry.ts";
import { isContent } from "../model/content.ts";
import type { Outcome } from "../model/outcome.ts";
import { fromBytes } from "../model/path.ts";
import type { Put } from "../store/storing.ts";
import type { Reading } from "./reading.ts";

/** Copies a link, whose content is its target, or an empty directory, which has none. */
export async function copySpecial(
  { path, kind }: Entry,
  put: Put,
  { realRoot, fileTimeoutMs }: Reading,
): Promise<Outcome> {
  if (kind === "link") {
    const { target, stats } = await withTimeout(readLink(realRoot, path), fileTimeoutMs, "reading it");
    const outcome = await put.content({ content: target, attributes: attributesOf(stats) });
    // Another attempt may have stored what the link was before.
    return isContent(outcome, target) ? { ...outcome, target: fromBytes(target) } : outcome;
  }
  const stats = await withTimeout(lookAtDirectory(realRoot, path), fileTimeoutMs, "looking it up");
  return await put.content({ content: Buffer.alloc(0), attributes: attributesOf(stats) });
}
