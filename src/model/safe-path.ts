import path from "node:path";
import { isPath } from "./path.ts";

/** Names that Windows gives to devices, whatever their extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * Why a name from a ledger must not be restored; undefined if it is always below the directory. Which
 * names are allowed depends on the system: on POSIX `C:\x` is a file like any other.
 */
export function unsafePath(
  portable: string,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  if (portable === "") return "its name is empty";
  if (portable.includes("\0")) return "its name has a NUL character";
  if (!isPath(portable)) return "its name is not valid Unicode";
  if (path.posix.isAbsolute(portable)) return "its name is absolute, and would lie outside the directory";
  const segments = portable.split("/");
  if (segments.includes("..")) return 'its name has a "..", and could lie outside the directory';
  if (segments.some((segment) => segment === "" || segment === ".")) {
    return 'its name has a segment that is empty or "."';
  }
  if (platform !== "win32") return undefined;
  for (const segment of segments) {
    if (/[\\:*?"<>|]/.test(segment))
      return `"${segment}" has a character that Windows does not take in a name`;
    if (/[. ]$/.test(segment)) return `"${segment}" ends in a character that Windows would cut off`;
    if (DEVICE.test(segment)) return `"${segment}" is the name of a device on Windows`;
  }
  return undefined;
}
