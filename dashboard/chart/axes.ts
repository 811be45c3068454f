import type uPlot from "../vendor/uplot.js";
import type { Colors } from "./colors.ts";

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** Round steps for bytes: powers of two. */
export const BYTE_STEPS = Array.from({ length: 60 }, (_none, power) => 2 ** power);

/** An axis, with a `stroke` in its series' colour if there are several. */
export function axis(colors: Colors, options: uPlot.Axis): uPlot.Axis {
  return {
    stroke: colors.muted,
    font: FONT,
    grid: { stroke: colors.line, width: 1 },
    ticks: { stroke: colors.line, width: 1, size: 4 },
    ...options,
  };
}

/** A series' scale, from 0 and with room above. */
export function fromZero(_self: uPlot, _min: number, max: number): [number, number] {
  return [0, Math.max(1, (max || 0) * 1.1)];
}
