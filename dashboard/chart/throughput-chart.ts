import { bytes, number } from "../ui/words.ts";
import type { Rate } from "../views/samples.ts";
import { axis, BYTE_STEPS, fromZero } from "./axes.ts";
import { figure, type Figure } from "./figure.ts";

/** No step below a second: labels would repeat. */
const SECOND_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];

const bytesWords = (value: number): string => `${bytes(value)}/s`;
const filesWords = (value: number): string => `${number(Math.round(value))} files/s`;

/** Throughput over time, in bytes and in files: a tree of small files is slow in one and fast in the other. */
export function throughputChart(): Figure<readonly Rate[]> {
  return figure({
    height: 180,
    legend: [
      { label: "Bytes", color: "accent", format: bytesWords },
      { label: "Files", color: "second", format: filesWords },
    ],
    plot: (colors) => ({
      padding: [8, 4, 0, 0],
      // One has more room above than the other, so that equal curves do not overlap.
      scales: {
        bytes: { range: fromZero },
        files: { range: (self, min, max) => fromZero(self, min, max * 1.3) },
      },
      series: [
        {},
        {
          scale: "bytes",
          stroke: colors.accent,
          fill: colors["accent-soft"],
          width: 2,
          points: { show: false },
        },
        { scale: "files", stroke: colors.second, width: 2, dash: [6, 3], points: { show: false } },
      ],
      axes: [
        axis(colors, {
          incrs: SECOND_STEPS,
          values: [[1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]],
          space: 80,
          size: 30,
        }),
        axis(colors, {
          scale: "bytes",
          stroke: colors.accent,
          size: 78,
          space: 28,
          incrs: BYTE_STEPS,
          values: (_self, splits) => splits.map(bytesWords),
        }),
        axis(colors, {
          scale: "files",
          stroke: colors.second,
          side: 1,
          size: 60,
          space: 28,
          grid: { show: false },
          values: (_self, splits) => splits.map((split) => `${number(split)}/s`),
        }),
      ],
    }),
    columns: (rates) => [
      rates.map(({ at }) => at),
      rates.map(({ bytesPerSecond }) => bytesPerSecond),
      rates.map(({ filesPerSecond }) => filesPerSecond),
    ],
    describe: (rates) => {
      const last = rates.at(-1);
      if (!last) return "Throughput over time: nothing measured yet.";
      const most = Math.max(...rates.map(({ bytesPerSecond }) => bytesPerSecond));
      return `Throughput over time: ${bytesWords(last.bytesPerSecond)} and ${filesWords(last.filesPerSecond)} at last, at most ${bytesWords(most)}.`;
    },
  });
}
