/** The values of several runs, in their order, with the median and the spread. */
export interface Figure {
  median: number;
  min: number;
  max: number;
  runs: number[];
}

export function figure(runs: readonly number[]): Figure {
  const sorted = runs.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
    runs: [...runs],
  };
}

/** Of each run the ratio of two measures that were taken side by side; undefined where one of them is missing. */
export function ratio(of: Figure | undefined, to: Figure | undefined): Figure | undefined {
  if (!of || !to || of.runs.length !== to.runs.length) return undefined;
  return figure(of.runs.map((value, run) => value / (to.runs[run] ?? Number.NaN)));
}
