/** How much of a fault's row is run, what its dice are, and the line that says what was counted. */
import { onTestFailed } from "vitest";

/** `npm run test:faults` runs all of every row; `npm test` what is quick. */
export const full = process.env["FAULTS"] === "full";

/** How long a row may take that waits for conditions, not for time: it is meant for a machine that is busy. */
export const PATIENCE = full ? 1_800_000 : 240_000;

/**
 * Random numbers from 0 to 1 that are the same for the same seed. Each test has a seed of its own, told when it fails;
 * FAULT_SEED sets it.
 */
export function dice(): { seed: number; roll: () => number } {
  const seed = Number(process.env["FAULT_SEED"] ?? Math.floor(Math.random() * 1e9));
  onTestFailed(() => console.log(`FAULT_SEED=${seed}`));
  // mulberry32
  let state = seed >>> 0;
  const roll = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { seed, roll };
}

/** Says in one line what a row counted. */
export function counted(row: number, what: Record<string, string | number>): void {
  if (!full) return;
  const parts = Object.entries(what).map(([name, value]) => `${name} ${value}`);
  console.log(`row ${String(row).padStart(2, "0")}: ${parts.join(", ")}`);
}
