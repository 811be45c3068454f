import type { Run } from "../api/answers.ts";
import { throughputChart } from "../chart/throughput-chart.ts";
import { h } from "../ui/element.ts";
import { bytes, bytesOf, number, roughly } from "../ui/words.ts";
import { Samples } from "./samples.ts";

type Progress = NonNullable<Run["progress"]>;

/** A run's progress in figures, and its throughput over time; once it has ended, what was seen of that. */
export class LivePanel {
  readonly element: HTMLElement;
  readonly #samples: Samples;
  readonly #bar = h("progress", { "aria-label": "Progress", max: 1 });
  readonly #percent = h("strong", { class: "percent" });
  readonly #figures = {
    files: figure("Files"),
    bytes: figure("Bytes"),
    rate: figure("Rate"),
    left: figure("Time left"),
  };
  readonly #progress: HTMLElement;
  readonly #chart = throughputChart();

  constructor(id: string) {
    this.#samples = new Samples(id);
    this.#progress = h(
      "div",
      { class: "progress" },
      h("div", { class: "progress-line" }, this.#bar, this.#percent),
      h("dl", { class: "figures" }, ...Object.values(this.#figures).map(({ element }) => element)),
    );
    this.element = h(
      "section",
      { class: "panel live-panel", "aria-label": "Progress", hidden: true },
      this.#progress,
      this.#chart.element,
    );
  }

  show(run: Run): void {
    const { progress } = run;
    this.#progress.hidden = progress === undefined;
    if (progress) {
      this.#samples.add(progress.settled);
      this.#showProgress(progress);
    }
    const rates = this.#samples.rates();
    this.element.hidden = progress === undefined && rates.length < 2;
    // One sample is not enough to draw.
    this.#chart.element.hidden = rates.length < 2;
    this.#chart.show(rates);
  }

  dispose(): void {
    this.#chart.dispose();
  }

  #showProgress({ listed, settled, secondsLeft, ...pace }: Progress): void {
    const share = listed.files === 0 ? 0 : Math.min(1, settled.files / listed.files);
    if (listed.complete) this.#bar.value = share;
    else this.#bar.removeAttribute("value");
    this.#percent.textContent = listed.complete ? `${Math.floor(share * 100)} %` : "listing …";
    const more = listed.complete ? "" : " so far";
    const { files, bytes: size, rate, left } = this.#figures;
    files.say(`${number(settled.files)} of ${number(listed.files)}${more}`);
    size.say(`${bytesOf(settled.bytes, listed.bytes)}${more}`);
    const recent = this.#samples.recent() ?? pace;
    rate.say(`${bytes(recent.bytesPerSecond)}/s, ${number(Math.round(recent.filesPerSecond))} files/s`);
    left.say(secondsLeft === undefined ? "not known yet" : `about ${roughly(secondsLeft * 1000)}`);
  }
}

function figure(name: string): { element: HTMLElement; say(words: string): void } {
  const value = h("dd");
  return {
    element: h("div", {}, h("dt", {}, name), value),
    say: (words) => (value.textContent = words),
  };
}
