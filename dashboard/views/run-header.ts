import { holdsSomething, type Run } from "../api/answers.ts";
import { h, replace, type Child } from "../ui/element.ts";
import { momentText } from "../ui/moment-text.ts";
import { nameText, visible } from "../ui/name-text.ts";
import { go, hrefOf, hrefWith } from "../ui/route.ts";
import { statusBadge } from "../ui/status-badge.ts";
import { kindWords, placeOf, subjectOf, tookWords } from "../ui/words.ts";

/** What a run is, and what can be done with it. */
export class RunHeader {
  readonly element: HTMLElement;
  readonly #title = h("h1", { tabindex: "-1" });
  readonly #status = h("span");
  readonly #facts = h("dl", { class: "facts" });
  readonly #actions = h("div", { class: "actions", role: "group", "aria-label": "This run" });
  #offered = "";

  /** @param id names the run until more is known, and if it does not exist */
  constructor(id: string) {
    replace(this.#title, "Run ", h("code", {}, ...visible(id.slice(0, 8))));
    this.element = h(
      "header",
      { class: "run-header" },
      h("div", { class: "run-title" }, this.#status, this.#title),
      this.#actions,
      this.#facts,
    );
  }

  show(run: Run): void {
    replace(this.#title, `${kindWords(run)} `, nameText(subjectOf(run)));
    replace(this.#status, statusBadge(run));
    replace(this.#facts, ...facts(run));
    const offers = offersFor(run);
    // Only on a change: what has the focus must not lose it at each refresh.
    const offered = offers.map(({ dialog }) => dialog).join();
    if (offered === this.#offered) return;
    this.#offered = offered;
    replace(this.#actions, ...offers.map(({ dialog, label, danger }) => action(dialog, label, danger)));
  }
}

interface Offer {
  dialog: "backup" | "restore" | "verify" | "cancel";
  label: string;
  danger?: boolean;
}

function offersFor(run: Run): Offer[] {
  const { kind, status, forgotten } = run;
  if (status === "running") return [{ dialog: "cancel", label: "Cancel …", danger: true }];
  if (kind !== "backup") return [];
  const again: Offer = { dialog: "backup", label: "Back up again …" };
  if (forgotten !== undefined || !holdsSomething(run)) return [again];
  return [{ dialog: "verify", label: "Verify …" }, { dialog: "restore", label: "Restore …" }, again];
}

function action(dialog: string, label: string, danger = false): HTMLElement {
  return h(
    "button",
    {
      type: "button",
      id: `action-${dialog}`,
      class: danger ? "danger-quiet" : undefined,
      click: () => go(hrefWith({ do: dialog })),
    },
    label,
  );
}

function facts(run: Run): HTMLElement[] {
  return [
    // A prune's is its title.
    ...(run.kind === "prune" ? [] : fact(run.kind === "backup" ? "To" : "From", nameText(placeOf(run)))),
    ...(run.of === undefined ? [] : fact("Backup", h("a", { href: hrefOf(run.of) }, h("code", {}, run.of)))),
    ...(run.layout === undefined ? [] : fact("Layout", run.layout)),
    ...(run.kind === "backup" ? fact("Mode", run.mode) : []),
    ...fact("Started", momentText(run.started)),
    ...fact(run.status === "running" ? "Running for" : "Took", tookWords(run)),
    ...fact("Run", h("code", {}, run.id)),
  ];
}

function fact(name: string, value: Child): HTMLElement[] {
  return [h("div", {}, h("dt", {}, name), h("dd", {}, value))];
}
