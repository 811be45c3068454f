import { randomBytes } from "node:crypto";
import { lstat, mkdir, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import type { Ignored } from "../files/one-name.ts";
import { ignore } from "../files/pinned-directory.ts";
import { withTimeout } from "../files/timeout.ts";
import { readRecord } from "../ledger/damaged.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { ATTEMPTS } from "../ledger/names.ts";
import { forDisk } from "../model/path.ts";
import { lookUp } from "./decide.ts";

/**
 * Makes the target, for its owner alone until it is given its mode.
 * @returns whether it was missing when the activity was first delivered
 */
export async function makeTarget(real: string, ledger: Ledger, fileTimeoutMs: number): Promise<boolean> {
  const name = `${ATTEMPTS}target.json`;
  const isThere = await withTimeout(lookUp(forDisk(real)), fileTimeoutMs, "looking it up");
  const { won } = await ledger.writeOnce(name, JSON.stringify({ made: !isThere }));
  const making = async (): Promise<void> => {
    await mkdir(forDisk(path.dirname(real)), { recursive: true });
    await mkdir(forDisk(real), 0o700).catch(ignore("EEXIST"));
  };
  if (!isThere) await withTimeout(making(), fileTimeoutMs, "making it");
  if (won) return !isThere;
  const text = (await ledger.read(name)) ?? "";
  return readRecord<{ made: boolean }>(text, targetRecord, `${ledger.runId}/${name}`).made;
}

const targetRecord = z.looseObject({ made: z.boolean() });

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
