import type { EntryKind } from "../model/entry.ts";
import { parentPath } from "../model/path.ts";

/** Anything with a name in the tree. */
interface Named {
  path: string;
  kind: EntryKind;
}

/** What a file system ignores when it compares names: case, or the form of Unicode. */
export interface Ignored {
  case: boolean;
  form: boolean;
}

/**
 * The items that cannot be restored beside the others, each with the name it clashes with. A file system that ignores
 * case has one place for `Name` and `name`, and the second would silently replace the first.
 */
export function clashes<Item extends Named>(items: readonly Item[], ignored: Ignored): Map<Item, string> {
  const keyOf = (name: string): string => {
    const formed = ignored.form ? name.normalize("NFC") : name;
    return ignored.case ? formed.toLowerCase() : formed;
  };
  const above = new Map<string, string>();
  let last = "";
  for (const { path: name } of items) {
    const parent = parentPath(name);
    // Most names follow another of the same directory.
    if (parent === last) continue;
    last = parent;
    for (let at = parent; at !== ""; at = parentPath(at)) above.set(keyOf(at), at);
  }
  const found = new Map<Item, string>();
  const first = new Map<string, Item>();
  for (const item of items) {
    const key = keyOf(item.path);
    const directory = item.kind === "directory" ? undefined : above.get(key);
    const other = first.get(key);
    if (directory !== undefined && directory !== item.path) found.set(item, directory);
    else if (!other) first.set(key, item);
    // Entries of two directories may end up in one.
    else if (other.path !== item.path && (other.kind !== "directory" || item.kind !== "directory"))
      found.set(item, other.path);
  }
  return found;
}

/** The items that clash in the target. Its file system is probed only if some names could clash on any file system. */
export async function clashesIn<Item extends Named>(
  items: readonly Item[],
  ignoredThere: () => Promise<Ignored>,
): Promise<Map<Item, string>> {
  const anywhere = clashes(items, { case: true, form: true });
  return anywhere.size === 0 ? anywhere : clashes(items, await ignoredThere());
}
