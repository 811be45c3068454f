import { h, newId, replace, type Child } from "./element.ts";

/** A modal dialog: the native one, so that the browser keeps the focus inside and returns it. Esc closes it. */
export class Dialog {
  readonly element: HTMLDialogElement;
  readonly #body: HTMLElement;
  readonly #heading: HTMLElement;

  constructor(title: string) {
    const id = newId("dialog");
    this.#heading = h("h2", { id, tabindex: "-1" }, title);
    this.#body = h("div", { class: "dialog-body" });
    this.element = h("dialog", { "aria-labelledby": id, class: "dialog" }, this.#heading, this.#body);
  }

  show(...content: Child[]): void {
    replace(this.#body, ...content);
  }

  /** Shows the next step, and moves the focus to its start. */
  step(title: string, ...content: Child[]): void {
    this.#heading.textContent = title;
    this.show(...content);
    this.#heading.focus();
  }

  /** @param onClose called however it is closed; it is then no longer in the page */
  open(onClose: () => void): void {
    this.element.addEventListener("close", () => {
      this.element.remove();
      onClose();
    });
    document.body.append(this.element);
    this.element.showModal();
  }

  close(): void {
    this.element.close();
  }
}
