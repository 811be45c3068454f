/** The targets, and whether they are reached. */
import { ratio, type Figure } from "../measure/statistics.ts";
import type { Quantity, Results, Row } from "../results.ts";
import { ONE_WORKER, TWO_WORKERS } from "../scenarios/ceiling.ts";

const APP = "app";
const BARE = "bare SDK loop";
const RCLONE = "rclone";
const BY_RECORD = "app, by the record";

interface Target {
  measure: string;
  limit: number;
  /** The limit is a minimum instead of a maximum. */
  atLeast?: boolean;
  unit: string;
  readonly value: (results: Results) => Figure | undefined;
}

export interface Verdict {
  measure: string;
  limit: string;
  unit: string;
  value: Figure | undefined;
  reached: boolean | undefined;
}

const rowsOf = (results: Results, measure: string): Row[] => results.measures[measure]?.rows ?? [];
const figureOf = (results: Results, measure: string, row: string | number, quantity: Quantity) => {
  const rows = rowsOf(results, measure);
  return (typeof row === "number" ? rows.at(row) : rows.find(({ name }) => name === row))?.figures[quantity];
};
/** The app's time against a peer's, run by run. */
const against =
  (measure: string, peer: string, app = APP) =>
  (results: Results) =>
    ratio(figureOf(results, measure, app, "seconds"), figureOf(results, measure, peer, "seconds"));
const rate = (app: string) => (results: Results) =>
  ratio(
    figureOf(results, "ceiling", app, "filesPerSecond"),
    figureOf(results, "ceiling", BARE, "filesPerSecond"),
  );

const TARGETS: Target[] = [
  {
    measure: "Small files, time against the bare loop",
    limit: 1.15,
    unit: "×",
    value: against("small", BARE),
  },
  {
    measure: "Large files, time against the bare loop",
    limit: 1.15,
    unit: "×",
    value: against("large", BARE),
  },
  { measure: "Small files, time against rclone", limit: 0.5, unit: "×", value: against("small", RCLONE) },
  { measure: "Large files, time against rclone", limit: 0.5, unit: "×", value: against("large", RCLONE) },
  {
    measure: "Unchanged small files, time against rclone",
    limit: 0.5,
    unit: "×",
    value: against("unchanged", RCLONE),
  },
  {
    measure: "Unchanged files of a mixed tree, time against rclone",
    limit: 0.5,
    unit: "×",
    value: against("mixed-unchanged", RCLONE),
  },
  {
    measure: "Unchanged small files by the record, time against rclone",
    limit: 0.5,
    unit: "×",
    value: against("unchanged", RCLONE, BY_RECORD),
  },
  {
    measure: "Unchanged files of a mixed tree by the record, time against rclone",
    limit: 0.3,
    unit: "×",
    value: against("mixed-unchanged", RCLONE, BY_RECORD),
  },
  {
    measure: "Ceiling, files/s of one worker against the bare loop",
    limit: 0.85,
    atLeast: true,
    unit: "×",
    value: rate(ONE_WORKER),
  },
  {
    measure: "Ceiling, files/s of two workers against the bare loop in one process",
    limit: 1.5,
    atLeast: true,
    unit: "×",
    value: rate(TWO_WORKERS),
  },
  {
    measure: "Growth, time per file of the largest tree against the smallest",
    limit: 1.15,
    unit: "×",
    value: (results) =>
      ratio(
        figureOf(results, "growth", -1, "millisecondsPerFile"),
        figureOf(results, "growth", 0, "millisecondsPerFile"),
      ),
  },
  {
    measure: "Growth, peak memory of host and workers, largest tree",
    limit: 400,
    unit: "MB",
    value: (results) => figureOf(results, "growth", -1, "peakMB"),
  },
  {
    measure: "The largest tree again by the record, peak memory of host and workers",
    limit: 400,
    unit: "MB",
    value: (results) => figureOf(results, "growth-unchanged", -1, "peakMB"),
  },
  {
    measure: "The largest tree again by the record, storage requests",
    limit: 5_000,
    unit: "",
    value: (results) => figureOf(results, "growth-unchanged", -1, "requests"),
  },
  {
    measure: "Huge file, peak memory of host and workers",
    limit: 400,
    unit: "MB",
    value: (results) => figureOf(results, "huge", 0, "peakMB"),
  },
  {
    measure: "Growth, durable operations per file, largest tree",
    limit: 0.02,
    unit: "",
    value: (results) => figureOf(results, "growth", -1, "durableOperationsPerFile"),
  },
  {
    measure: "Engine, the largest fan-out",
    limit: 4,
    unit: "s",
    value: (results) => figureOf(results, "engine", -1, "seconds"),
  },
  {
    measure: "Engine, the largest fan-out against the one before it",
    limit: 5,
    unit: "×",
    value: (results) =>
      ratio(figureOf(results, "engine", -1, "seconds"), figureOf(results, "engine", -2, "seconds")),
  },
];

export function verdicts(results: Results): Verdict[] {
  return TARGETS.map(({ measure, limit, atLeast = false, unit, value }) => {
    const found = value(results);
    return {
      measure,
      limit: `${atLeast ? "≥" : "≤"} ${limit}`,
      unit,
      value: found,
      reached: found && (atLeast ? found.median >= limit : found.median <= limit),
    };
  });
}
