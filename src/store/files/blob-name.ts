import { isPath } from "../../model/path.ts";

/** Blob Storage's limit on a blob's name, in characters (UTF-16 units, as the service counts). */
const MAX_NAME = 1024;
/** Blob Storage's limit on the segments of a name. */
const MAX_SEGMENTS = 254;

// What the service does not accept in a name: control characters, and code points that XML listings cannot carry.
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const UNNAMEABLE = /[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/;

/** The name of the blob for a portable path under a prefix. */
export function blobName(portable: string, prefix: string): string {
  return prefix === "" ? portable : `${prefix}/${portable}`;
}

/** The name under which the service stores a blob: it turns every `\` into `/`, so two files can have the same key. */
export function blobKey(name: string): string {
  return name.replaceAll("\\", "/");
}

/** The folder that a key is in: it ends in `/`, and is empty at the container's top. */
export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}

/** Entries by folder, and within it by key. */
export function byFolder<T extends { path: string }>(
  entries: readonly T[],
  prefix: string,
): Map<string, Map<string, T[]>> {
  const folders = new Map<string, Map<string, T[]>>();
  for (const entry of entries) {
    const key = blobKey(blobName(entry.path, prefix));
    const folder = folderOf(key);
    let inFolder = folders.get(folder);
    if (!inFolder) folders.set(folder, (inFolder = new Map()));
    const same = inFolder.get(key);
    if (same) same.push(entry);
    else inFolder.set(key, [entry]);
  }
  return folders;
}

/** Why a content of this path cannot be stored, as a message; undefined if it can. */
export function whyNotStored(path: string, prefix: string): string | undefined {
  const why = whyNotABlobName(blobName(path, prefix));
  return why === undefined ? undefined : `Blob Storage cannot hold it: ${why}`;
}

/** Why Blob Storage cannot hold a blob of this name, as a message; undefined if it can. */
export function whyNotABlobName(name: string): string | undefined {
  if (name.length > MAX_NAME)
    return `its blob's name would have ${name.length} characters, more than ${MAX_NAME}`;
  if (UNNAMEABLE.test(name)) return "its name has control characters, which a blob's name cannot have";
  if (!name.isWellFormed()) {
    return isPath(name)
      ? "its name is not valid UTF-8, which a blob's name must be; rename it"
      : "its name is not valid Unicode";
  }
  const segments = blobKey(name).split("/");
  if (segments.length > MAX_SEGMENTS)
    return `its path has ${segments.length} segments, more than ${MAX_SEGMENTS}`;
  if (segments.some((segment) => segment.endsWith("."))) {
    return 'a segment of its path ends in ".", which Blob Storage would cut off';
  }
  if (segments.includes(""))
    return 'a segment of its path would be empty, as Blob Storage turns "\\" into "/"';
  return undefined;
}
