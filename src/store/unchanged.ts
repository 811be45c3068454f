import { recordedOf, type Recorded } from "../model/content.ts";
import type { Entry } from "../model/entry.ts";
import type { Outcome } from "../model/outcome.ts";

/** Whether an entry has the size and time of what was stored for it. */
export function looksUnchanged(
  { kind, size, mtime }: Entry,
  stored: { size: number; mtime?: number | undefined },
): boolean {
  return stored.mtime === mtime && (kind !== "file" || stored.size === size);
}

/** The outcome of an entry whose content is stored, by what is known of both. */
export function unchanged(
  { path, kind, size, mtime, ctime, mode }: Entry,
  { etag, target, ...content }: Recorded & { etag?: string | undefined; target?: string | undefined },
): Outcome {
  return {
    path,
    outcome: "unchanged",
    kind,
    size,
    mtime,
    ...(ctime === undefined ? {} : { ctime }),
    mode,
    ...recordedOf(content),
    ...(etag === undefined ? {} : { etag }),
    ...(target === undefined ? {} : { target }),
  };
}
