/** A bar chart of the peers' times as SVG. Plain text: the charts that libraries draw without a browser weigh megabytes. */
import type { Results } from "../results.ts";
import { number } from "./format.ts";
import { COMPARED } from "./markdown.ts";

const WIDTH = 760;
const LABELS = 136;
const VALUES = 110;
const BAR = 18;
const GAP = 5;
const TITLE = 30;
const PADDING = 16;
const CLASSES: Record<string, string> = { app: "app", "bare SDK loop": "loop" };

/** A picture does not learn of the page's own theme, only of the system's: it brings the ground that it stands on. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2933; }
  .title { font-weight: 600; }
  .ground { fill: #ffffff; }
  .app { fill: #0a6ed1; }
  .loop { fill: #626f7c; }
  .other { fill: #929daa; }
  .spread { stroke: #1f2933; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb; }
    .ground { fill: #11161d; }
    .app { fill: #2f81f7; }
    .loop { fill: #8b98a5; }
    .other { fill: #5f6b77; }
    .spread { stroke: #e4e7eb; }
  }`;

/** Each tree has bars of its own scale: the longest fills the width. A thin line is the spread. */
export function chart({ measures }: Results): string {
  const parts: string[] = [];
  let y = PADDING - 4;
  for (const name of COMPARED) {
    const measured = measures[name];
    const bars = measured?.rows.flatMap((row) => {
      const { seconds } = row.figures;
      return seconds ? [{ name: row.name, seconds }] : [];
    });
    if (!measured || !bars || bars.length === 0) continue;
    parts.push(`<text class="title" x="${PADDING}" y="${y + 18}">${escape(measured.title)}, seconds</text>`);
    y += TITLE;
    const longest = Math.max(...bars.map(({ seconds }) => seconds.max));
    const length = (value: number): number => Math.round((value / longest) * (WIDTH - LABELS - VALUES));
    for (const bar of bars) {
      const { median, min, max } = bar.seconds;
      const [middle, from, to] = [y + BAR / 2, LABELS + length(min), LABELS + length(max)];
      const of = CLASSES[bar.name] ?? "other";
      parts.push(
        `<text x="${LABELS - 8}" y="${middle + 5}" text-anchor="end">${escape(bar.name)}</text>`,
        `<rect x="${LABELS}" y="${y}" width="${Math.max(1, length(median))}" height="${BAR}" rx="2" class="${of}"/>`,
        `<line class="spread" x1="${from}" x2="${to}" y1="${middle}" y2="${middle}"/>`,
        `<text x="${to + 8}" y="${middle + 5}">${number(median)} s</text>`,
      );
      y += BAR + GAP;
    }
    y += GAP;
  }
  const height = y + PADDING - GAP;
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  const name = "Seconds that each peer takes for each measure";
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${name}">\n` +
    `<style>${STYLE}\n</style>\n<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>\n` +
    `${parts.join("\n")}\n</svg>\n`
  );
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
