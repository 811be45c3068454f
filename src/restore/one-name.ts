import { randomBytes } from "node:crypto";
import { lstat, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { withTimeout } from "../file-system/timeout.ts";
import type { ManifestItem } from "./manifest.ts";

/** What a file system does not tell names apart by: the case of letters, the form of Unicode. */
export interface Ignored {
  case: boolean;
  form: boolean;
}

/**
 * The items that cannot be restored beside the others, each with the name that would be lost with it: a file system that
 * ignores case has one place for `Name` and `name`, and the second would silently take the first one's.
 */
export function clashes<Item extends Pick<ManifestItem, "path" | "kind">>(
  items: readonly Item[],
  ignored: Ignored,
): Map<Item, string> {
  const keyOf = (name: string): string => {
    const formed = ignored.form ? name.normalize("NFC") : name;
    return ignored.case ? formed.toLowerCase() : formed;
  };
  const above = new Map<string, string>();
  let last = "";
  for (const { path: name } of items) {
    const parent = name.slice(0, Math.max(0, name.lastIndexOf("/")));
    // Most names follow another of the same directory.
    if (parent === last) continue;
    last = parent;
    for (let at = parent; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/"))))
      above.set(keyOf(at), at);
  }
  const found = new Map<Item, string>();
  const first = new Map<string, Item>();
  for (const item of items) {
    const key = keyOf(item.path);
    const directory = item.kind === "directory" ? undefined : above.get(key);
    const other = first.get(key);
    if (directory !== undefined && directory !== item.path) found.set(item, directory);
    else if (!other) first.set(key, item);
    // What is in two directories can be in one.
    else if (other.path !== item.path && (other.kind !== "directory" || item.kind !== "directory"))
      found.set(item, other.path);
  }
  return found;
}

/** The items that clash where they are to be restored. Nothing is looked up, or written, unless some would anywhere. */
export async function clashesIn<Item extends Pick<ManifestItem, "path" | "kind">>(
  items: readonly Item[],
  { realTo, dryRun, fileTimeoutMs }: { realTo: string; dryRun: boolean; fileTimeoutMs: number },
): Promise<Map<Item, string>> {
  const anywhere = clashes(items, { case: true, form: true });
  if (anywhere.size === 0) return anywhere;
  const ignored = dryRun ? usually() : await withTimeout(probe(realTo), fileTimeoutMs, "trying its names");
  return clashes(items, ignored);
}

/** What a system's own file systems do: a dry run writes nothing to find it out. */
function usually(): Ignored {
  const { platform } = process;
  return { case: platform === "win32" || platform === "darwin", form: platform === "darwin" };
}

/** Makes a file, and looks for it under other names. Where it cannot be made, no file can, which each will tell. */
async function probe(realTo: string): Promise<Ignored> {
  const at = (name: string) => path.join(realTo, name);
  const name = `.restore-${randomBytes(12).toString("hex")}-\u00e9.partial`;
  try {
    await writeFile(at(name), "", { flag: "wx" });
  } catch {
    return { case: false, form: false };
  }
  try {
    const isThere = async (other: string) => (await lstat(at(other)).catch(() => undefined)) !== undefined;
    return { case: await isThere(name.toUpperCase()), form: await isThere(name.normalize("NFD")) };
  } finally {
    await unlink(at(name));
  }
}
