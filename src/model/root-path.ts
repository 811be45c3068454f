import path from "node:path";

/**
 * One spelling of a root: without separators at its end, doubled ones and ".". What takes a look at the file system is left
 * as it is: "..", which leads elsewhere behind a link, links, and the case of letters.
 */
export function normalRoot(root: string): string {
  if (root.startsWith("/")) {
    // On Windows that is a share.
    const share = path.sep === "\\" && /^\/\/[^/]/.test(root);
    return `${share ? "//" : "/"}${plain(root, /\//).join("/")}`;
  }
  // With these Windows itself takes what follows literally.
  if (/^\\\\[?.]\\/.test(root)) return root;
  const [, drive, share, rest] = /^([a-z]:)?((?:^[\\/]{2})?)(.*)$/is.exec(root) ?? [];
  return `${drive?.toUpperCase() ?? ""}${share ? "\\\\" : "\\"}${plain(rest ?? "", /[\\/]/).join("\\")}`;
}

function plain(rest: string, separator: RegExp): string[] {
  return rest.split(separator).filter((segment) => segment !== "" && segment !== ".");
}

/** Whether two roots are the same directory by their names; records of older versions have them as they were typed. */
export function isSameRoot(one: string, other: string): boolean {
  return one === other || normalRoot(one) === normalRoot(other);
}
