/** A bar chart of the tools' times as SVG, written by hand: libraries that draw without a browser weigh megabytes. */
import type { Figure } from "../measure/statistics.ts";
import type { Results } from "../results.ts";
import { number } from "./format.ts";
import { COMPARED } from "./markdown.ts";

/** Measures stand side by side in two columns, so that the whole fits a screen. */
const COLUMNS = 2;
const COLUMN = 400;
const LABELS = 112;
const VALUES = 70;
const BAR = 14;
const GAP = 4;
const TITLE = 26;
const PADDING = 16;
const CLASSES: Record<string, string> = {
  app: "app",
  "app, by the record": "app",
  "app, by content": "app",
  "app, packs": "packs",
  "bare SDK loop": "loop",
};
/** Rows of other conditions, which the tables tell. */
const APART = /ms an activity$/;

/** An image follows the system's theme, not the page's, so it has its own background. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2933; }
  .title { font-weight: 600; }
  .ground { fill: #ffffff; }
  .app { fill: #0a6ed1; }
  .packs { fill: #0b7d6d; }
  .loop { fill: #626f7c; }
  .other { fill: #929daa; }
  .spread { stroke: #1f2933; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb; }
    .ground { fill: #11161d; }
    .app { fill: #2f81f7; }
    .packs { fill: #20a390; }
    .loop { fill: #8b98a5; }
    .other { fill: #5f6b77; }
    .spread { stroke: #e4e7eb; }
  }`;

interface Bar {
  name: string;
  seconds: Figure;
}

/** Each measure has its own scale: the longest bar fills the column. A thin line shows the spread. */
export function chart({ measures }: Results): string {
  const groups = COMPARED.flatMap((measure) => {
    const { title = "", rows = [] } = measures[measure] ?? {};
    const bars = rows.flatMap(({ name, figures: { seconds } }): Bar[] =>
      seconds && !APART.test(name) ? [{ name, seconds }] : [],
    );
    return bars.length === 0 ? [] : [{ title, bars }];
  });
  const most = Math.max(0, ...groups.map(({ bars }) => bars.length));
  const row = TITLE + most * (BAR + GAP) + GAP;
  const parts = groups.map(({ title, bars }, index) => {
    const [x, y] = [PADDING + (index % COLUMNS) * COLUMN, PADDING + Math.floor(index / COLUMNS) * row];
    return group(title, bars, x, y);
  });
  const [width, height] = [
    COLUMNS * COLUMN + PADDING,
    Math.ceil(groups.length / COLUMNS) * row + 2 * PADDING,
  ];
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const name = "Seconds that each tool takes for each measure";
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${name}">\n` +
    `<style>${STYLE}\n</style>\n<rect class="ground" width="${width}" height="${height}" rx="6"/>\n` +
    `${parts.join("\n")}\n</svg>\n`
  );
}

/** One measure: its title and a bar for each tool. */
function group(title: string, bars: readonly Bar[], x: number, top: number): string {
  const longest = Math.max(...bars.map(({ seconds }) => seconds.max));
  const left = x + LABELS;
  const length = (value: number): number =>
    Math.round((value / longest) * (COLUMN - LABELS - VALUES - PADDING));
  const lines = bars.flatMap(({ name, seconds: { median, min, max } }, index) => {
    const y = top + TITLE + index * (BAR + GAP);
    const [middle, from, to] = [y + BAR / 2, left + length(min), left + length(max)];
    return [
      `<text x="${left - 8}" y="${middle + 4}" text-anchor="end">${escape(name)}</text>`,
      `<rect x="${left}" y="${y}" width="${Math.max(1, length(median))}" height="${BAR}" rx="2" class="${CLASSES[name] ?? "other"}"/>`,
      `<line class="spread" x1="${from}" x2="${to}" y1="${middle}" y2="${middle}"/>`,
      `<text x="${to + 8}" y="${middle + 4}">${number(median)} s</text>`,
    ];
  });
  return [`<text class="title" x="${x}" y="${top + 14}">${escape(title)}, seconds</text>`, ...lines].join(
    "\n",
  );
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
