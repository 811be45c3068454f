import { h, replace } from "./element.ts";
import { hrefWith } from "./route.ts";

/**
 * Pages of a list with continuations. The continuations of all pages up to the current one are in the address, so
 * that one can go back and a reload shows the same page.
 */
export class Pager {
  readonly element: HTMLElement;
  readonly #parameter = "pages";
  #tokens: string[] = [];

  /** @param label what is paged, for screen readers */
  constructor(label: string) {
    this.element = h("nav", { class: "pager", "aria-label": label, hidden: true });
  }

  /** Reads the position from the address. */
  read(query: URLSearchParams): void {
    this.#tokens = (query.get(this.#parameter) ?? "").split(".").filter((token) => token !== "");
  }

  /** Of the current page; undefined on the first. */
  get continuation(): string | undefined {
    return this.#tokens.at(-1);
  }

  /** The number of the current page, from 0. */
  get page(): number {
    return this.#tokens.length;
  }

  /** @param next the continuation at the end of the current page. @param words what it shows, e.g. "1–50" */
  show(next: string | undefined, words: string): void {
    this.element.hidden = this.page === 0 && next === undefined;
    const to = (tokens: string[]): string =>
      hrefWith({ [this.#parameter]: tokens.length === 0 ? undefined : tokens.join(".") });
    replace(
      this.element,
      step("First", this.page > 0 && to([])),
      step("Previous", this.page > 0 && to(this.#tokens.slice(0, -1))),
      h("span", { class: "pager-words" }, words),
      step("Next", next !== undefined && to([...this.#tokens, next])),
    );
  }
}

function step(words: string, href: string | false): HTMLElement {
  const id = `pager-${words.toLowerCase()}`;
  if (href === false) return h("span", { class: "button disabled", "aria-hidden": "true" }, words);
  return h("a", { class: "button", href, id }, words);
}
