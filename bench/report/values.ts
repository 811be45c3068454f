/** Figures that targets are about. */
import { figure, ratio, type Figure } from "../measure/statistics.ts";
import type { Quantity, Results, Row } from "../results.ts";

export const APP = "app";
export const BARE = "bare SDK loop";
export const RCLONE = "rclone";
export const RESTIC = "restic";

export interface Target {
  measure: string;
  limit: number;
  /** The limit is a minimum instead of a maximum. */
  atLeast?: boolean;
  unit: string;
  readonly value: (results: Results) => Figure | undefined;
}

const rowsOf = (results: Results, measure: string): Row[] => results.measures[measure]?.rows ?? [];
export const figureOf = (results: Results, measure: string, row: string | number, quantity: Quantity) => {
  const rows = rowsOf(results, measure);
  return (typeof row === "number" ? rows.at(row) : rows.find(({ name }) => name === row))?.figures[quantity];
};
/** The app's time against a peer's, run by run. */
export const against =
  (measure: string, peer: string, app = APP, quantity: Quantity = "seconds") =>
  (results: Results) =>
    ratio(figureOf(results, measure, app, quantity), figureOf(results, measure, peer, quantity));
/** The largest tree's against the smallest one's. */
export const growth = (measure: string, quantity: Quantity) => (results: Results) =>
  ratio(figureOf(results, measure, -1, quantity), figureOf(results, measure, 0, quantity));
/** One figure, as it is or in another unit. */
export const only =
  (measure: string, row: string | number, quantity: Quantity, factor = 1) =>
  (results: Results) => {
    const found = figureOf(results, measure, row, quantity);
    return found && figure(found.runs.map((value) => value * factor));
  };
