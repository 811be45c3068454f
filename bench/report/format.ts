import type { Figure } from "../measure/statistics.ts";

/** A number with its significant digits. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 4;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The median, and the spread if there were several runs. */
export function spread({ median, min, max, runs }: Figure, unit = ""): string {
  const suffix = unit === "" ? "" : ` ${unit}`;
  return runs.length < 2
    ? `${number(median)}${suffix}`
    : `${number(median)}${suffix} (${number(min)}–${number(max)})`;
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_cell, column) => (column === 0 ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
