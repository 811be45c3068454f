import type { Measured, Quantity, Results, Row } from "../results.ts";
import { spread, table } from "./format.ts";
import { verdicts } from "./targets.ts";

/** Measures in which several peers take part, by tree. */
export const COMPARED = ["small", "large", "mixed", "unchanged", "mixed-unchanged", "touched", "restore"];

interface Column {
  head: string;
  quantity: Quantity;
}

const SECONDS: Column = { head: "seconds", quantity: "seconds" };
const MEMORY: Column = { head: "peak MB", quantity: "peakMB" };

const HUGE: Column[] = [SECONDS, { head: "MiB/s", quantity: "mibPerSecond" }, MEMORY];
const GROWTH: Column[] = [
  SECONDS,
  { head: "ms per file", quantity: "millisecondsPerFile" },
  MEMORY,
  { head: "longest history", quantity: "longestHistory" },
  { head: "durable operations per file", quantity: "durableOperationsPerFile" },
  { head: "storage requests per file", quantity: "storageOperationsPerFile" },
];

/** Measures with their own table. */
const DETAILS: Record<string, Column[]> = {
  few: [SECONDS],
  ceiling: [SECONDS, { head: "files/s", quantity: "filesPerSecond" }, MEMORY],
  traffic: [
    { head: "requests", quantity: "requests" },
    { head: "requests per file", quantity: "requestsPerFile" },
    { head: "MiB sent", quantity: "sentMiB" },
    { head: "of the files' bytes", quantity: "sentShare" },
  ],
  growth: GROWTH,
  "growth-packs": GROWTH,
  "growth-unchanged": [
    SECONDS,
    { head: "ms per file", quantity: "millisecondsPerFile" },
    MEMORY,
    { head: "storage requests", quantity: "requests" },
  ],
  questions: [
    SECONDS,
    { head: "lists", quantity: "lists" },
    { head: "records read", quantity: "reads" },
    { head: "more memory, MiB", quantity: "peakMB" },
  ],
  huge: HUGE,
  "huge-packs": HUGE,
  engine: [SECONDS],
  throttled: [
    SECONDS,
    { head: "refused per blob", quantity: "refusedPerFile" },
    { head: "started again", quantity: "givenUp" },
  ],
};

/** All tables. */
export function everything(results: Results): string {
  const details = Object.entries(DETAILS).flatMap(([name, columns]) => {
    const measured = results.measures[name];
    return measured ? [`**${measured.title}**\n\n${detail(measured, columns)}`] : [];
  });
  return paragraphs(facts(results), ...comparisons(results), ...details, targets(results), calls(results));
}

/** The parts of the text, separated by empty lines. */
function paragraphs(...texts: string[]): string {
  return texts.filter((text) => text !== "").join("\n\n");
}

function facts({ machine, measures }: Results): string {
  const { date, cores, memoryGiB, processor, system, versions } = machine;
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const runs = Object.values(measures).flatMap(({ rows }) =>
    rows.flatMap(({ figures }) => Object.values(figures).map((figure) => figure.runs.length)),
  );
  const most = Math.max(...runs);
  return (
    `Measured on ${date}: ${cores} cores (${processor}), ${memoryGiB} GiB, ${system}; ${named.join(", ")}. ` +
    (most === 1
      ? "One run of each."
      : `Medians of ${most} runs and, in brackets, the spread; one run where there is none.`)
  );
}

/** What each peer took for each tree, and what it left in storage. */
function comparisons(results: Results): string[] {
  return [comparison(results, "seconds", "seconds"), comparison(results, "MiB stored", "storedMiB")];
}

function comparison({ measures }: Results, head: string, quantity: Quantity): string {
  const shown = COMPARED.flatMap((name) => measures[name] ?? []).filter(({ rows }) =>
    rows.some(({ figures }) => figures[quantity]),
  );
  if (shown.length === 0) return "";
  const peers = [...new Set(shown.flatMap(({ rows }) => rows.map(({ name }) => name)))];
  return table(
    [head, ...peers],
    shown.map(({ title, rows }) => [
      title,
      ...peers.map((peer) =>
        cell(
          rows.find(({ name }) => name === peer),
          quantity,
        ),
      ),
    ]),
  );
}

function detail({ rows }: Measured, columns: readonly Column[]): string {
  return table(
    ["", ...columns.map(({ head }) => head)],
    rows.map((row) => [row.name, ...columns.map(({ quantity }) => cell(row, quantity))]),
  );
}

function cell(row: Row | undefined, quantity: Quantity): string {
  if (row?.failed !== undefined) return "failed";
  if (row?.skipped !== undefined) return "skipped";
  const figure = row?.figures[quantity];
  return figure ? spread(figure) : "–";
}

function targets(results: Results): string {
  return table(
    ["target", "limit", "measured", ""],
    verdicts(results).map(({ measure, limit, unit, value, reached }) => [
      measure,
      `${limit} ${unit}`.trim(),
      value ? spread(value, unit) : "–",
      reached === undefined ? "not measured" : reached ? "reached" : "**not reached**",
    ]),
  );
}

/** How the tools were called, and what is missing and why. */
function calls({ measures }: Results): string {
  const ways = new Map<string, string[]>();
  const missing: string[] = [];
  for (const { title, rows } of Object.values(measures)) {
    for (const { name, how, skipped, failed } of rows) {
      if (skipped !== undefined) missing.push(`${title}: ${name} is skipped: ${skipped}`);
      else if (failed !== undefined) missing.push(`${title}: ${name} failed: ${failed}`);
      else if (how !== undefined) {
        const way = `${name}: ${how}`;
        ways.set(way, [...(ways.get(way) ?? []), title.toLowerCase()]);
      }
    }
  }
  const called = [...ways].map(([way, titles]) => `${way} (${titles.join("; ")})`);
  return [
    "How each tool was called, and what is missing:",
    "",
    ...[...called, ...missing].map((line) => `- ${line}`),
  ].join("\n");
}
