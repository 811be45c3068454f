import { h, newId } from "../ui/element.ts";
import { go, hrefWith } from "../ui/route.ts";

const KINDS = { "": "All", backup: "Backups", restore: "Restores", verify: "Verifications", prune: "Prunes" };
const STATUSES = {
  "": "Any",
  running: "Running",
  completed: "Completed",
  failed: "Failed",
  canceled: "Canceled",
  skipped: "Skipped",
};

/** Which runs are listed. It is in the address; a change returns to the first page. */
export class RunsFilter {
  readonly element: HTMLElement;
  readonly #kind = select(KINDS, "kind");
  readonly #status = select(STATUSES, "status");
  readonly #root = h("input", {
    type: "text",
    id: newId("root"),
    spellcheck: "false",
    autocomplete: "off",
    placeholder: "any",
    change: (event) => change("root", (event.target as HTMLInputElement).value.trim()),
  });

  constructor() {
    this.element = h(
      "div",
      { class: "filter", role: "group", "aria-label": "Show" },
      labelled("What", this.#kind),
      labelled("Status", this.#status),
      labelled("Directory", this.#root),
    );
  }

  show(query: URLSearchParams): void {
    this.#kind.value = query.get("kind") ?? "";
    this.#status.value = query.get("status") ?? "";
    this.#root.value = query.get("root") ?? "";
  }
}

function select(choices: Record<string, string>, name: string): HTMLSelectElement {
  return h(
    "select",
    { id: newId(name), change: (event) => change(name, (event.target as HTMLSelectElement).value) },
    ...Object.entries(choices).map(([value, label]) => h("option", { value }, label)),
  );
}

function labelled(label: string, control: HTMLElement): HTMLElement {
  return h("div", {}, h("label", { for: control.id }, label), control);
}

function change(name: string, value: string): void {
  go(hrefWith({ [name]: value, pages: undefined }));
}
