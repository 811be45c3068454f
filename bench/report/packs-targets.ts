import { ratio } from "../measure/statistics.ts";
import type { Results } from "../results.ts";
import { against, BARE, figureOf, growth, only, RCLONE, RESTIC, type Target } from "./values.ts";

const PACKS = "app, packs";
const SLOW_PACKS = "app, packs, 20 ms an activity";

/** What a second backup sends, against the first, which stands before it. */
const sentAgain = (first: number) => (results: Results) =>
  ratio(figureOf(results, "traffic", first + 1, "sentMiB"), figureOf(results, "traffic", first, "sentMiB"));
const TIMES: [what: string, measure: string, peer: string, limit: number][] = [
  ["small files", "small", BARE, 0.2],
  ["small files", "small", RESTIC, 0.9],
  ["a mixed tree", "mixed", BARE, 0.3],
  ["a mixed tree", "mixed", RESTIC, 1.2],
  ["large files", "large", BARE, 1.3],
  ["large files", "large", RESTIC, 0.8],
  ["unchanged small files", "unchanged", RESTIC, 0.5],
  ["unchanged files of a mixed tree", "mixed-unchanged", RESTIC, 0.6],
  ["small files with new times", "touched", RESTIC, 1],
  ["small files brought back", "restore", RESTIC, 1.2],
  ["small files brought back", "restore", RCLONE, 0.4],
];
const times = (label: string, app: string): Target[] =>
  TIMES.map(([what, measure, peer, limit]) => ({
    measure: `${label}: ${what}, time against ${peer === BARE ? "the bare loop" : peer}`,
    limit,
    unit: "×",
    value: against(measure, peer, app),
  }));

/** The targets of the layout packs. */
export const PACKS_TARGETS: Target[] = [
  ...times("Packs", PACKS),
  {
    measure: "Packs: bytes stored for a mixed tree, against restic's repository",
    limit: 1.1,
    unit: "×",
    value: against("mixed", RESTIC, PACKS, "storedMiB"),
  },
  {
    measure: "Packs: requests per 1,000 small files",
    limit: 10,
    unit: "",
    value: only("traffic", 0, "requestsPerFile", 1000),
  },
  {
    measure: "Packs: small files with new times, bytes sent against the first backup",
    limit: 0.01,
    unit: "×",
    value: sentAgain(0),
  },
  {
    measure: "Packs: files of 5 MiB, requests per file",
    limit: 4,
    unit: "",
    value: only("traffic", 2, "requestsPerFile"),
  },
  {
    measure: "Packs: their directory moved, bytes sent against the first backup",
    limit: 0.01,
    unit: "×",
    value: sentAgain(2),
  },
  {
    measure: "Packs: a large file with a byte inserted at its start, sent",
    limit: 16,
    unit: "MiB",
    value: only("traffic", 5, "sentMiB"),
  },
  {
    measure: "Packs: growth, time per file of the largest tree against the smallest",
    limit: 1.15,
    unit: "×",
    value: growth("growth-packs", "millisecondsPerFile"),
  },
  {
    measure: "Packs: growth, peak memory of host and workers, largest tree",
    limit: 400,
    unit: "MB",
    value: only("growth-packs", -1, "peakMB"),
  },
  {
    measure: "Packs: huge file, peak memory of host and workers",
    limit: 400,
    unit: "MB",
    value: only("huge-packs", 0, "peakMB"),
  },
  ...times("Packs, 20 ms an activity", SLOW_PACKS),
];
