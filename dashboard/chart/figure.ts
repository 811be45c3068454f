import uPlot from "../vendor/uplot.js";
import { h, replace } from "../ui/element.ts";
import { colors, onColorsChange, type Colors } from "./colors.ts";

/** A chart in the page. */
export interface Figure<T> {
  element: HTMLElement;
  show(data: T): void;
  dispose(): void;
}

interface FigureOptions<T> {
  height: number;
  /** The name of each series, in order; shown above the chart with the value under the pointer. */
  legend: readonly { label: string; color: keyof Colors; format: (value: number) => string }[];
  plot: (colors: Colors) => Omit<uPlot.Options, "width" | "height">;
  /** x and a column for each series. */
  columns: (data: T) => uPlot.AlignedData;
  /** The chart in words, for those who cannot see it. */
  describe: (data: T) => string;
}

/** A chart that fits its container, follows light and dark mode, and describes itself in words. */
export function figure<T>({ height, legend, plot, columns, describe }: FigureOptions<T>): Figure<T> {
  const canvas = h("div", { class: "chart", role: "img" });
  const values = legend.map(() => h("span", { class: "legend-value" }));
  const element = h(
    "figure",
    { class: "figure" },
    h(
      "figcaption",
      { class: "legend" },
      ...legend.map(({ label, color }, index) =>
        h("span", {}, h("span", { class: `swatch swatch-${color}` }), label, " ", values[index]),
      ),
    ),
    canvas,
  );
  let data: T | undefined;
  let chart: uPlot | undefined;

  function tell(self: uPlot): void {
    const at = self.cursor.idx ?? self.data[0].length - 1;
    for (const [index, value] of values.entries()) {
      const of = self.data[index + 1]?.[at];
      value.textContent = of === undefined || of === null ? "" : (legend[index]?.format(of) ?? "");
    }
  }

  function make(): void {
    chart?.destroy();
    chart = undefined;
    if (data === undefined || canvas.clientWidth === 0) return;
    const options = plot(colors(canvas));
    chart = new uPlot(
      {
        ...options,
        width: canvas.clientWidth,
        height,
        legend: { show: false },
        hooks: { ...options.hooks, setCursor: [tell], setData: [tell] },
      },
      columns(data),
      (self, init) => {
        replace(canvas, self.root);
        init();
      },
    );
    tell(chart);
  }

  const observer = new ResizeObserver(() => {
    if (!chart) make();
    else if (canvas.clientWidth > 0 && chart.width !== canvas.clientWidth) {
      chart.setSize({ width: canvas.clientWidth, height });
    }
  });
  observer.observe(canvas);
  const forget = onColorsChange(make);
  return {
    element,
    show(next) {
      data = next;
      canvas.setAttribute("aria-label", describe(next));
      if (chart) chart.setData(columns(next));
      else make();
    },
    dispose() {
      observer.disconnect();
      forget();
      chart?.destroy();
    },
  };
}
