import { inspect, styleText } from "node:util";

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

/** A line beside the answer: what goes on, what is wrong. */
export function err(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** One JSON object a line. */
export function outJson(value: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A name from a tree for a terminal: control characters and the like are shown, not obeyed. */
export function name(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(text)
    ? escaped(text)
    : text;
}

function escaped(text: string): string {
  return inspect(text, { maxStringLength: null, breakLength: Infinity }).replace(
    /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  );
}

/** Rows under headings, in columns; numbers to the right. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  right: number[] = [],
): string[] {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [paint("dim", line(headings)), ...rows.map(line)];
}
