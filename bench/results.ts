/** The results, as kept in bench/results/latest.json. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Machine } from "./measure/machine.ts";
import type { Figure } from "./measure/statistics.ts";
import { PROJECT } from "./services/local-host.ts";

/** The figures of a row; the unit is in the name. */
export type Quantity =
  | "seconds"
  | "filesPerSecond"
  | "mibPerSecond"
  | "peakMB"
  | "millisecondsPerFile"
  | "longestHistory"
  | "durableOperationsPerFile"
  | "storageOperationsPerFile"
  | "requests"
  | "lists"
  | "reads"
  | "requestsPerFile"
  | "storedMiB"
  | "sentMiB"
  | "sentShare"
  | "refusedPerFile"
  | "givenUp";

/** A peer, or a size. */
export interface Row {
  name: string;
  /** How it was called. */
  how?: string;
  figures: Partial<Record<Quantity, Figure>>;
  /** Why it was not measured. */
  skipped?: string;
  /** Why it could not be measured. */
  failed?: string;
}

export interface Measured {
  title: string;
  /** The day it was measured. */
  date: string;
  rows: Row[];
}

export interface Results {
  machine: Machine;
  /** By the name of the measure. */
  measures: Record<string, Measured>;
}

/** Where results go. */
export function resultsFolder(quick: boolean): string {
  const folder = path.join(PROJECT, "bench", "results", ...(quick ? ["tmp"] : []));
  mkdirSync(folder, { recursive: true });
  return folder;
}

export function readResults(folder: string): Results | undefined {
  const file = path.join(folder, "latest.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : undefined;
}

export function writeResults(folder: string, results: Results): void {
  const rounded = (_key: string, value: unknown): unknown =>
    typeof value === "number" ? Number(value.toPrecision(5)) : value;
  writeFileSync(path.join(folder, "latest.json"), `${JSON.stringify(results, rounded, 2)}\n`);
}
