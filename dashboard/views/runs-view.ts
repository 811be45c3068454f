import type { Run } from "../api/answers.ts";
import { api } from "../api/client.ts";
import { h, replace } from "../ui/element.ts";
import { errorNotice } from "../ui/notice.ts";
import { Pager } from "../ui/pager.ts";
import { poll } from "../ui/poll.ts";
import { number } from "../ui/words.ts";
import { HistoryPanel } from "./history-panel.ts";
import { RunsFilter } from "./runs-filter.ts";
import { runRow, runsTable } from "./runs-table.ts";
import type { View } from "./view.ts";

const PAGE = 50;
/** Milliseconds between two refreshes: while a run is in progress, and while none is. */
const BUSY_MS = 1500;
const IDLE_MS = 10_000;

/** All runs, newest first, with the progress of those running, and the size of history. */
export function runsView(): View {
  const filter = new RunsFilter();
  const pager = new Pager("Pages of runs");
  const table = runsTable();
  const history = new HistoryPanel();
  const trouble = h("div");
  const empty = h("div", { class: "empty", hidden: true });
  table.element.hidden = true;
  const list = h(
    "div",
    { class: "panel table-panel", "aria-busy": "true" },
    h("div", { class: "panel-head" }, filter.element),
    table.element,
    empty,
  );
  let query = new URLSearchParams();
  let shown = "";

  const polling = poll(
    async () => {
      const asked = query;
      const page = await api.runs({
        kind: asked.get("kind") ?? "all",
        status: asked.get("status") ?? undefined,
        root: asked.get("root") ?? undefined,
        limit: PAGE,
        continuation: pager.continuation,
      });
      const runs = await withProgress(page.items);
      if (asked !== query) return 0;
      show(runs, page.continuation);
      void history.refresh(runs).catch(() => undefined);
      return runs.some(({ status }) => status === "running") ? BUSY_MS : IDLE_MS;
    },
    (message) => replace(trouble, message !== undefined && errorNotice(message, "alert")),
  );

  function show(runs: readonly Run[], continuation: string | undefined): void {
    list.removeAttribute("aria-busy");
    const running = runs.some(({ status }) => status === "running");
    const state = JSON.stringify([runs, continuation, running && Date.now()]);
    if (state === shown) return;
    shown = state;
    table.element.hidden = runs.length === 0;
    empty.hidden = runs.length > 0;
    if (runs.length === 0) replace(empty, ...emptyWords([...query.keys()].some((name) => name !== "do")));
    table.show(runs.map(runRow));
    const first = pager.page * PAGE + 1;
    pager.show(continuation, `Runs ${number(first)} to ${number(first + runs.length - 1)}`);
  }

  return {
    element: h(
      "div",
      { class: "view" },
      h("h1", { tabindex: "-1" }, "Runs"),
      trouble,
      history.element,
      list,
      pager.element,
    ),
    show(next) {
      query = next;
      filter.show(next);
      pager.read(next);
      history.read(next);
      polling.now();
    },
    dispose() {
      polling.stop();
      history.dispose();
    },
  };
}

/** The list has no progress: running ones are asked one by one. */
async function withProgress(runs: readonly Run[]): Promise<Run[]> {
  return await Promise.all(
    runs.map(async (run) => (run.status === "running" ? await api.run(run.id).catch(() => run) : run)),
  );
}

function emptyWords(filtered: boolean): HTMLElement[] {
  if (filtered) return [h("p", {}, "No run matches.")];
  return [
    h("p", { class: "empty-title" }, "Nothing has been backed up yet."),
    h("p", {}, "Choose ", h("strong", {}, "Back up …"), " above, and the first run appears here."),
  ];
}
