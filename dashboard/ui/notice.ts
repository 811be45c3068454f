import { h } from "./element.ts";
import { icon } from "./icon.ts";

/** What went wrong, or why something ended; `alert` is read out at once. */
export function errorNotice(message: string, role?: "alert"): HTMLElement {
  return h("p", { class: "notice bad", role, tabindex: role && "-1" }, icon("alert"), h("span", {}, message));
}

export function note(...words: (string | Node)[]): HTMLElement {
  return h("p", { class: "notice" }, h("span", {}, ...words));
}
