import path from "node:path";
import { realPath } from "./real-path.ts";
import { FileTimeout, withTimeout } from "./timeout.ts";

/**
 * Whether `root` lies in one of the allowed directories, by the real paths of both: links are followed first, so
 * that no link inside an allowed directory opens another one. What does not exist is judged by its nearest
 * existing parent.
 * @param timeoutMs for each look at a directory
 * @throws FileTimeout where that hangs
 */
export async function isAllowed(
  root: string,
  allowed: readonly string[] | undefined,
  timeoutMs: number,
): Promise<boolean> {
  if (allowed === undefined) return true;
  const real = await realOrNearest(root, timeoutMs);
  let hangs: unknown;
  for (const directory of allowed) {
    try {
      if (isInside(real, await realOrNearest(directory, timeoutMs))) return true;
    } catch (error) {
      // Another root may allow it.
      hangs = error;
    }
  }
  if (hangs !== undefined) throw hangs;
  return false;
}

/** Whether `inner` is `outer` or lies below it; both absolute and free of links. */
export function isInside(inner: string, outer: string): boolean {
  // Fast path: called twice per file, and path.relative resolves both paths each time.
  if (inner.startsWith(outer) && inner[outer.length] === path.sep && !inner.includes("..")) return true;
  const relative = path.relative(outer, inner);
  return (
    relative === "" ||
    (!relative.startsWith(`..${path.sep}`) && relative !== ".." && !path.isAbsolute(relative))
  );
}

/** The real path; of what does not exist, that of its nearest existing parent with the rest. @throws FileTimeout */
export async function realOrNearest(target: string, timeoutMs: number): Promise<string> {
  // Not normalized: the file system resolves "link/.." differently from path.resolve.
  const absolute = path.isAbsolute(target) ? target : path.resolve(target);
  try {
    return await withTimeout(realPath(absolute), timeoutMs, `looking up ${absolute}`);
  } catch (error) {
    if (error instanceof FileTimeout) throw error;
    const parent = path.dirname(absolute);
    if (parent === absolute) return absolute;
    return path.join(await realOrNearest(parent, timeoutMs), path.basename(absolute));
  }
}
