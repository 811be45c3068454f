import type { Budget } from "../storage/budget.ts";

/** Where files are read, and with what. */
export interface Reading {
  realRoot: string;
  fileTimeoutMs: number;
  budget: Budget;
}
