/** A table, its cells as Markdown; `|` in them is marked as text. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replace(/\n/g, " ").replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
}

export function code(text: string): string {
  return `\`${text}\``;
}

export function block(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

/** The words that say who made a page. */
export function generated(from: string): string {
  return `<!-- Made from ${from} by \`npm run docs\`. Change it there. -->`;
}

/** The text with `<` as text, for what is not code: else a browser takes `<run>` for an element. */
export function plain(text: string): string {
  return text.replaceAll("<", "&lt;");
}
