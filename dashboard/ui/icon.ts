/** Shapes on a 16 by 16 grid, drawn as lines. */
const SHAPES = {
  check: "M3 8.5l3.2 3.2L13 4.8",
  cross: "M4 4l8 8M12 4l-8 8",
  running: "M8 2a6 6 0 1 1-6 6",
  stop: "M4 8h8",
  alert: "M8 2l6.5 11.5h-13zM8 6.5v3.2M8 11.6v.1",
  back: "M10 3L5 8l5 5",
  arrow: "M3 8h9M9 4.5L12.5 8 9 11.5",
} as const;
export type IconName = keyof typeof SHAPES;

/** An icon beside words that say the same; hidden from screen readers. */
export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const attributes = { viewBox: "0 0 16 16", "aria-hidden": "true", class: `icon icon-${name}` };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}
