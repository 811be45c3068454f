import { realpath } from "node:fs/promises";
import path from "node:path";

/**
 * Whether `root` lies in one of the allowed directories, by the real paths of both: links are followed first, so
 * that no link inside an allowed directory opens another one. What does not exist is judged by its nearest
 * existing parent.
 */
export async function isAllowed(root: string, allowed: readonly string[] | undefined): Promise<boolean> {
  if (allowed === undefined) return true;
  const real = await realOrNearest(root);
  for (const directory of allowed) {
    if (isInside(real, await realOrNearest(directory))) return true;
  }
  return false;
}

/** Whether `inner` is `outer` or lies below it; both absolute and free of links. */
export function isInside(inner: string, outer: string): boolean {
  // The plain case at once: this is asked twice for every file, and path.relative resolves both paths anew.
  if (inner.startsWith(outer) && inner[outer.length] === path.sep && !inner.includes("..")) return true;
  const relative = path.relative(outer, inner);
  return (
    relative === "" ||
    (!relative.startsWith(`..${path.sep}`) && relative !== ".." && !path.isAbsolute(relative))
  );
}

async function realOrNearest(target: string): Promise<string> {
  const absolute = path.resolve(target);
  try {
    return await realpath(absolute);
  } catch {
    const parent = path.dirname(absolute);
    return parent === absolute ? absolute : path.join(await realOrNearest(parent), path.basename(absolute));
  }
}
