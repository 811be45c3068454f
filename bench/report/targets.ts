/** The targets, and whether they are reached. */
import { ratio, type Figure } from "../measure/statistics.ts";
import type { Results } from "../results.ts";
import { ONE_WORKER, TWO_WORKERS } from "../scenarios/ceiling.ts";
import { PACKS_TARGETS } from "./packs-targets.ts";
import { against, BARE, figureOf, growth, only, RCLONE, type Target } from "./values.ts";

const BY_RECORD = "app, by the record";

export interface Verdict {
  measure: string;
  limit: string;
  unit: string;
  value: Figure | undefined;
  reached: boolean | undefined;
}

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
    value: growth("growth", "millisecondsPerFile"),
  },
  {
    measure: "Growth, peak memory of host and workers, largest tree",
    limit: 400,
    unit: "MB",
    value: only("growth", -1, "peakMB"),
  },
  {
    measure: "The largest tree again by the record, peak memory of host and workers",
    limit: 400,
    unit: "MB",
    value: only("growth-unchanged", -1, "peakMB"),
  },
  {
    measure: "The largest tree again by the record, storage requests",
    limit: 5_000,
    unit: "",
    value: only("growth-unchanged", -1, "requests"),
  },
  {
    measure: "One path of a million files, records read (three levels of parts)",
    limit: 6,
    unit: "",
    value: only("questions", "one path", "reads"),
  },
  { measure: "The same, memory", limit: 32, unit: "MiB", value: only("questions", "one path", "peakMB") },
  {
    measure: "One directory of a million files, records read",
    limit: 6,
    unit: "",
    value: only("questions", "one directory of directories", "reads"),
  },
  {
    measure: "The same, memory",
    limit: 32,
    unit: "MiB",
    value: only("questions", "one directory of directories", "peakMB"),
  },
  {
    measure: "A walk of a million files, memory",
    limit: 64,
    unit: "MiB",
    value: only("questions", "the whole tree", "peakMB"),
  },
  {
    measure: "Huge file, peak memory of host and workers",
    limit: 400,
    unit: "MB",
    value: only("huge", 0, "peakMB"),
  },
  {
    measure: "Growth, durable operations per file, largest tree",
    limit: 0.02,
    unit: "",
    value: only("growth", -1, "durableOperationsPerFile"),
  },
  {
    measure: "Engine, the largest fan-out",
    limit: 4,
    unit: "s",
    value: only("engine", -1, "seconds"),
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
  return [...TARGETS, ...PACKS_TARGETS].map(({ measure, limit, atLeast = false, unit, value }) => {
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
