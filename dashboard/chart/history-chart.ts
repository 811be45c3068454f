import uPlot from "../vendor/uplot.js";
import { moment } from "../../client/words.ts";
import { bytes } from "../ui/words.ts";
import { axis, BYTE_STEPS, fromZero } from "./axes.ts";
import { figure, type Figure } from "./figure.ts";

/** One run of a destination; sizes in bytes. */
export interface HistoryPoint {
  started: string;
  /** The tree's size: copied and unchanged. */
  tree: number;
  copied: number;
  /** Copied by this run and all before it: the most that the history takes. */
  total: number;
}

/** The size of a destination's history, run by run. Runs are evenly spaced, whatever time lies between them. */
export function historyChart(): Figure<HistoryPoint[]> {
  let points: HistoryPoint[] = [];
  return figure({
    height: 170,
    legend: [
      { label: "Copied by the run", color: "accent", format: bytes },
      { label: "Tree", color: "second", format: bytes },
      { label: "Copied in all", color: "muted", format: bytes },
    ],
    plot: (colors) => ({
      padding: [8, 12, 0, 0],
      scales: {
        x: { time: false, range: () => [-0.6, points.length - 0.4] },
        y: { range: fromZero },
      },
      series: [
        {},
        {
          stroke: colors.accent,
          fill: colors["accent-soft"],
          width: 1,
          paths: uPlot.paths.bars?.({ size: [0.6, 48] }),
          points: { show: false },
        },
        { stroke: colors.second, width: 2, points: { show: true, size: 6, fill: colors.second } },
        { stroke: colors.muted, width: 2, dash: [6, 3], points: { show: false } },
      ],
      axes: [
        axis(colors, {
          incrs: [1, 2, 5, 10, 20, 50, 100],
          space: 110,
          size: 30,
          grid: { show: false },
          values: (_self, splits) =>
            splits.map((split) => {
              const { started } = points[split] ?? {};
              return started === undefined ? "" : moment(started).slice(5, 16);
            }),
        }),
        axis(colors, {
          size: 70,
          space: 28,
          incrs: BYTE_STEPS,
          values: (_self, splits) => splits.map(bytes),
        }),
      ],
    }),
    columns: (data) => {
      points = data;
      return [
        data.map((_point, index) => index),
        data.map(({ copied }) => copied),
        data.map(({ tree }) => tree),
        data.map(({ total }) => total),
      ];
    },
    describe: (data) => {
      const last = data.at(-1);
      if (!last) return "Size of history: no run yet.";
      const runs = data.length === 1 ? "1 run" : `${data.length} runs`;
      return `Size of history over ${runs}: the tree has ${bytes(last.tree)}, the last run copied ${bytes(last.copied)}, all together ${bytes(last.total)}.`;
    },
  });
}
