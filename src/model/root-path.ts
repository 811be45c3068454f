import path from "node:path";

/**
 * One spelling of a root: without trailing or doubled separators and ".". What depends on the file system stays: ".."
 * (which leads elsewhere after a link), links, and case.
 */
export function normalRoot(root: string): string {
  if (root.startsWith("/")) {
    // On Windows that is a share.
    const share = path.sep === "\\" && /^\/\/[^/]/.test(root);
    return `${share ? "//" : "/"}${plain(root, /\//).join("/")}`;
  }
  // After these Windows takes everything literally.
  if (/^\\\\[?.]\\/.test(root)) return root;
  const [, drive, share, rest] = /^([a-z]:)?((?:^[\\/]{2})?)(.*)$/is.exec(root) ?? [];
  return `${drive?.toUpperCase() ?? ""}${share ? "\\\\" : "\\"}${plain(rest ?? "", /[\\/]/).join("\\")}`;
}

function plain(rest: string, separator: RegExp): string[] {
  return rest.split(separator).filter((segment) => segment !== "" && segment !== ".");
}

/** Whether two roots are the same directory by name; records of older versions have them as they were typed. */
export function isSameRoot(one: string, other: string): boolean {
  return one === other || normalRoot(one) === normalRoot(other);
}
