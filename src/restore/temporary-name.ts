import { randomBytes } from "node:crypto";

const TEMPORARY = ".partial";

/** The name of a file while it is written. It belongs to this batch, and cannot be guessed. */
export function temporaryName(mark: string): string {
  return `${temporaryPrefix(mark)}${randomBytes(12).toString("hex")}${TEMPORARY}`;
}

/** Whether a name is that of a temporary file of this batch. */
export function isTemporaryOf(mark: string, name: string): boolean {
  const [prefix, end] = [temporaryPrefix(mark), TEMPORARY];
  return (
    name.startsWith(prefix) &&
    name.endsWith(end) &&
    /^[0-9a-f]+$/.test(name.slice(prefix.length, -end.length))
  );
}

function temporaryPrefix(mark: string): string {
  return `.restore-${mark}-`;
}
