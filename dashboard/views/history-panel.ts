import { holdsSomething, type Run } from "../api/answers.ts";
import { api } from "../api/client.ts";
import { historyChart, type HistoryPoint } from "../chart/history-chart.ts";
import type { Figure } from "../chart/figure.ts";
import { h, newId, replace } from "../ui/element.ts";
import { momentText } from "../ui/moment-text.ts";
import { visibleText } from "../ui/name-text.ts";
import { go, hrefWith } from "../ui/route.ts";
import { Table } from "../ui/table.ts";
import { bytes, placeOf } from "../ui/words.ts";

/** How many runs the chart shows. */
const RUNS = 200;

/** The size of a destination's history, run by run: the tree, what was copied, and the total. */
export class HistoryPanel {
  readonly element: HTMLElement;
  readonly #choice = h("select", { id: newId("history"), change: () => this.#choose() });
  readonly #figure: Figure<HistoryPoint[]> = historyChart();
  readonly #table = new Table("Size of history", "history", [
    { title: "Run" },
    { title: "Tree", class: "number" },
    { title: "Copied", class: "number" },
    { title: "Copied in all", class: "number" },
  ]);
  #chosen: string | undefined;
  #newest: string | undefined;
  #groups = new Map<string, Run[]>();

  constructor() {
    this.element = h(
      "section",
      { class: "panel history-panel", "aria-label": "Size of history", hidden: true },
      h(
        "div",
        { class: "panel-head" },
        h("h2", {}, "Size of history"),
        h("label", { for: this.#choice.id, class: "unseen" }, "Directory and destination"),
        this.#choice,
      ),
      this.#figure.element,
      h(
        "details",
        { class: "more" },
        h("summary", {}, "As a table"),
        h(
          "div",
          { class: "scroll", tabindex: "0", role: "group", "aria-label": "Table" },
          this.#table.element,
        ),
      ),
    );
  }

  read(query: URLSearchParams): void {
    this.#chosen = query.get("history") ?? undefined;
    if (this.#groups.size > 0) this.#show();
  }

  /** Refreshes when a run has ended since. @param runs those on the page */
  async refresh(runs: readonly Run[]): Promise<void> {
    const newest = runs.find(({ status }) => status !== "running")?.id;
    if (newest === this.#newest) return;
    this.#newest = newest;
    const { items } = await api.runs({ kind: "backup", limit: RUNS });
    this.#groups = Map.groupBy(
      // A canceled run had only part of the tree, and one that failed at once none of it.
      items.filter(
        (run) =>
          (run.status === "completed" || run.status === "failed") && holdsSomething(run) && !run.suspect,
      ),
      nameOf,
    );
    this.#show();
  }

  dispose(): void {
    this.#figure.dispose();
  }

  #show(): void {
    const names = [...this.#groups.keys()];
    // One run is no history: without a choice, the newest destination with more than one.
    const grown = names.find((each) => (this.#groups.get(each)?.length ?? 0) > 1) ?? names[0];
    const name = this.#chosen !== undefined && this.#groups.has(this.#chosen) ? this.#chosen : grown;
    const points = pointsOf(this.#groups.get(name ?? "") ?? []);
    this.element.hidden = names.length === 0;
    replace(this.#choice, ...names.map((value) => h("option", { value }, visibleText(value))));
    this.#choice.value = name ?? "";
    this.#figure.show(points);
    this.#table.show(
      points
        .toReversed()
        .map(({ started, tree, copied, total }) => [
          momentText(started),
          bytes(tree),
          bytes(copied),
          bytes(total),
        ]),
    );
  }

  #choose(): void {
    go(hrefWith({ history: this.#choice.value }), "replace");
  }
}

function nameOf(run: Run): string {
  return `${run.root} → ${placeOf(run)}`;
}

/** Oldest first. */
function pointsOf(runs: readonly Run[]): HistoryPoint[] {
  let total = 0;
  return runs.toReversed().map(({ started, counts, bytes: copied = 0 }) => {
    total += copied;
    return { started, tree: copied + (counts?.unchangedBytes ?? 0), copied, total };
  });
}
