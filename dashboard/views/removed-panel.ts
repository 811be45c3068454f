import type { Run } from "../api/answers.ts";
import { api } from "../api/client.ts";
import { h, newId, replace } from "../ui/element.ts";
import { messageOf } from "../ui/message-of.ts";
import { nameText } from "../ui/name-text.ts";
import { errorNotice } from "../ui/notice.ts";

/** Names a page. */
const PAGE = 200;

/** The names that a restore removed, or a dry run would remove, because the backup does not have them. */
export class RemovedPanel {
  readonly element: HTMLElement;
  readonly #id: string;
  readonly #heading = h("h2", { id: newId("removed") });
  readonly #names = h("ul", { class: "names", tabindex: "0" });
  readonly #more = h("button", { type: "button", hidden: true, click: () => void this.#load() }, "Show more");
  readonly #trouble = h("div", { class: "trouble" });
  #continuation: string | undefined;
  #loaded = false;

  constructor(id: string) {
    this.#id = id;
    this.#names.setAttribute("aria-labelledby", this.#heading.id);
    this.element = h(
      "section",
      { class: "panel removed-panel", "aria-labelledby": this.#heading.id, hidden: true },
      this.#heading,
      this.#names,
      this.#more,
      this.#trouble,
    );
  }

  /** Loads them once the restore has ended. */
  show({ kind, status, dryRun }: Run): void {
    if (kind !== "restore" || status === "running" || this.#loaded) return;
    this.#loaded = true;
    this.#heading.textContent = dryRun ? "Would be removed" : "Removed";
    void this.#load();
  }

  async #load(): Promise<void> {
    replace(this.#trouble);
    try {
      const page = await api.deleted(this.#id, { limit: PAGE, continuation: this.#continuation });
      this.#names.append(...page.items.map(({ path }) => h("li", {}, nameText(path))));
      this.#continuation = page.continuation;
      this.#more.hidden = page.continuation === undefined;
      this.element.hidden = this.#names.childElementCount === 0;
    } catch (error) {
      this.element.hidden = false;
      this.#more.hidden = false;
      replace(this.#trouble, errorNotice(messageOf(error)));
    }
  }
}
