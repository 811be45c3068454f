import { UNPRINTABLE } from "../model/path.ts";

/** The Content-Disposition of a file to be saved (RFC 6266), whatever its name has in it. */
export function attachment(name: string): string {
  // A backslash would lead a client on Windows into another directory.
  const safe = name.replaceAll(UNPRINTABLE, "_").replaceAll("\\", "_");
  const ascii = safe.replaceAll(/[^ -~]|["%]/g, "_");
  const extended = encodeURIComponent(safe).replaceAll(/['()*]/g, percent);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${extended}`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
