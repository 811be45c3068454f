import { h, type Child } from "./element.ts";
import { icon } from "./icon.ts";
import { visible } from "./name-text.ts";

/**
 * What went wrong, or why something ended, in the app's words, which may contain names. `alert` is read out at once.
 */
export function errorNotice(message: string, role?: "alert"): HTMLElement {
  return h(
    "p",
    { class: "notice bad", role, tabindex: role && "-1" },
    icon("alert"),
    h("span", {}, ...visible(message)),
  );
}

export function note(...words: Child[]): HTMLElement {
  return h("p", { class: "notice" }, h("span", {}, ...words));
}
