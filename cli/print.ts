import { once } from "node:events";
import { styleText } from "node:util";
import { UNPRINTABLE } from "../src/model/path.ts";

type Style = Parameters<typeof styleText>[0];

/** Colours a text for a stream: not when it is no terminal, nor with NO_COLOR. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  const plain = !stream.isTTY || Boolean(process.env["NO_COLOR"]);
  return plain ? text : styleText(style, text, { validateStream: false });
}

/** A line of the answer. */
export function out(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Bytes of the answer, no faster than they are read. */
export async function write(bytes: Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
}

/** A line beside the answer: what is happening, what is wrong. */
export function err(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** One JSON object a line. What a terminal would obey is escaped: it parses to the same value. */
export function outJson(value: Record<string, unknown>): void {
  out(
    JSON.stringify(value).replaceAll(
      UNPRINTABLE,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  );
}

/** A column of a table. */
export interface Column {
  heading: string;
  /** Numbers stand to the right. */
  right?: true;
  /** How dispensable it is where a terminal is narrow; 0: never left out. */
  rank?: number;
}

/** Rows under headings, without the columns that the terminal has no room for, the most dispensable first. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const width = process.stdout.isTTY ? process.stdout.columns : Infinity;
  const ranks = columns.map(({ rank = 0 }) => rank);
  for (let most = Math.max(...ranks); ; most--) {
    const kept = ranks.flatMap((rank, index) => (rank <= most ? [index] : []));
    const lines = aligned(columns, rows, kept);
    if (most <= 0 || lines.every((line) => line.length <= width))
      return lines.map((line, index) => (index === 0 ? paint("dim", line) : line));
  }
}

function aligned(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  kept: readonly number[],
): string[] {
  const all = [columns.map(({ heading }) => heading), ...rows];
  const widths = columns.map((_column, index) => Math.max(...all.map((row) => row[index]?.length ?? 0)));
  const cell = (row: readonly string[], index: number): string => {
    const [text, width] = [row[index] ?? "", widths[index] ?? 0];
    return columns[index]?.right ? text.padStart(width) : text.padEnd(width);
  };
  return all.map((row) =>
    kept
      .map((index) => cell(row, index))
      .join("  ")
      .trimEnd(),
  );
}
