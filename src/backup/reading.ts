import type { Budget } from "../storage/budget.ts";

export interface Reading {
  realRoot: string;
  fileTimeoutMs: number;
  budget: Budget;
}
