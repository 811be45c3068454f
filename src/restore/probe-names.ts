import { randomBytes } from "node:crypto";
import { lstat, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Ignored } from "../files/one-name.ts";

/**
 * Finds out which names a file system treats as the same: makes a file, and looks for it under other names. If it cannot be
 * made, no file can, and each will fail by itself.
 */
export async function probeNames(directory: string): Promise<Ignored> {
  const at = (name: string) => path.join(directory, name);
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
