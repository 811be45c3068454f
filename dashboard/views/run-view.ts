import { filesOf, type Run } from "../api/answers.ts";
import { api } from "../api/client.ts";
import { announce } from "../ui/announce.ts";
import { h, replace } from "../ui/element.ts";
import { icon } from "../ui/icon.ts";
import { visible } from "../ui/name-text.ts";
import { errorNotice, note } from "../ui/notice.ts";
import { poll } from "../ui/poll.ts";
import { hrefOf } from "../ui/route.ts";
import { countsWords, failedWords, kindWords } from "../ui/words.ts";
import { FilesPanel } from "./files-panel.ts";
import { LivePanel } from "./live-panel.ts";
import { outcomeTiles } from "./outcome-tiles.ts";
import { RemovedPanel } from "./removed-panel.ts";
import { RunHeader } from "./run-header.ts";
import type { View } from "./view.ts";

/** Milliseconds between two refreshes of a run in progress; a short run is over before the second slow one. */
const FAST_MS = 500;
const SLOW_MS = 1000;
const FAST_FOR_MS = 15_000;
/** The same for a canceled run while its counts may grow. */
const SETTLING_MS = 5_000;

/** One run: its status, its progress while it runs, and its files' outcomes. */
export function runView(id: string): View {
  const header = new RunHeader(id);
  const live = new LivePanel(id);
  const tiles = h("nav", { class: "tiles", "aria-label": "Files by outcome" });
  const files = new FilesPanel(id);
  const removed = new RemovedPanel(id);
  const message = h("div");
  const trouble = h("div");
  const begun = Date.now();
  let query = new URLSearchParams();
  let before: Run | undefined;

  const polling = poll(
    async () => {
      const run = await api.run(id);
      show(run);
      if (run.status !== "running") return run.settling ? SETTLING_MS : undefined;
      return Date.now() - begun < FAST_FOR_MS ? FAST_MS : SLOW_MS;
    },
    (words) => replace(trouble, words !== undefined && errorNotice(words, "alert")),
  );

  function show(run: Run): void {
    tell(before, run);
    header.show(run);
    live.show(run);
    replace(message, ...messageOf(run), ...warningsOf(run));
    // A run that never began, or was stopped before it met a file, has nothing to count.
    const mayBeEmpty = run.status !== "failed" && run.status !== "skipped";
    if (mayBeEmpty || (run.counts && filesOf(run.counts) > 0)) {
      replace(tiles, ...outcomeTiles(run, query));
      files.show(run, query);
      removed.show(run);
    }
    before = run;
  }

  return {
    element: h(
      "div",
      { class: "view" },
      h("a", { href: hrefOf(undefined), class: "back" }, icon("back"), "Runs"),
      header.element,
      trouble,
      message,
      live.element,
      tiles,
      files.element,
      removed.element,
    ),
    show(next) {
      query = next;
      if (before) show(before);
      // An ended run does not change.
      if (before === undefined || before.status === "running" || before.settling) polling.now();
    },
    dispose() {
      polling.stop();
      live.dispose();
      files.dispose();
    },
  };
}

function warningsOf({ message = "", warnings = [] }: Run): HTMLElement[] {
  return warnings.filter((warning) => !message.includes(warning)).map((warning) => note(...visible(warning)));
}

function messageOf(run: Run): HTMLElement[] {
  if (run.status === "skipped") return [note("It did not begin. ", ...visible(run.message ?? ""))];
  const asides: HTMLElement[] = [];
  if (run.settling)
    asides.push(note("Files in progress when it was canceled may still be added: the counts are not final."));
  if (run.postdated) asides.push(note("This run is dated in the future and does not count until then."));
  if (run.message !== undefined && run.status !== "completed")
    return [errorNotice(failedWords(run) ?? run.message), ...asides];
  if (run.forgotten !== undefined)
    return [note("A prune has forgotten this run: it can no longer be restored."), ...asides];
  const notes = run.message === undefined ? asides : [note(...visible(run.message)), ...asides];
  if (run.dryRun && run.status === "completed")
    notes.push(note(`A dry run: nothing was ${run.kind === "prune" ? "deleted" : "written or removed"}.`));
  return notes;
}

/** Turning points, for those who do not see the page. */
function tell(before: Run | undefined, run: Run): void {
  if (before?.status === "running" && run.status !== "running") {
    announce(`${kindWords(run)} ${run.status}${run.counts ? `: ${countsWords(run.counts)}` : ""}.`);
    return;
  }
  const quarter = quarterOf(run);
  if (run.status === "running" && quarter > quarterOf(before)) announce(`${quarter * 25} percent done.`);
}

function quarterOf(run: Run | undefined): number {
  const { listed, settled } = run?.progress ?? {};
  if (!listed?.complete || !settled || listed.files === 0) return 0;
  return Math.floor((4 * settled.files) / listed.files);
}
