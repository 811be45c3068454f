/** The bench's folders for trees (kept from run to run) and for services' data (while they run). */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const BASE = path.join(process.env["BENCH_TMP"] ?? tmpdir(), "site-backup-bench");

/** Trees are created once and kept. */
export const TREES = path.join(BASE, "trees");

const folders = new Set<string>();

/** A fresh, empty folder; `discard` it after use. */
export function scratch(name: string): string {
  mkdirSync(BASE, { recursive: true });
  const folder = mkdtempSync(path.join(BASE, `${name}-`));
  folders.add(folder);
  return folder;
}

export function discard(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

export function discardAll(): void {
  for (const folder of folders) discard(folder);
}
