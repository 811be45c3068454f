import { h, type Child } from "./element.ts";

/**
 * Characters that are invisible or change the order of their neighbours: controls, joiners, direction marks; and
 * bytes that are not UTF-8, as lone surrogates. They are shown by their code, so that no name looks like another.
 */
const UNSEEN = /([\p{Cc}\p{Cs}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff])/gu;

/** An untrusted name, as text: isolated from the text around it, with invisible characters made visible. */
export function nameText(name: string): HTMLElement {
  return h("bdi", { class: "name", dir: "ltr" }, ...visible(name));
}

/** A text that may contain names, with invisible characters made visible. */
export function visible(text: string): Child[] {
  return text
    .split(UNSEEN)
    .map((part, index) =>
      index % 2 === 1 ? h("span", { class: "code", title: "Not a visible character" }, codeOf(part)) : part,
    );
}

/** The same where only plain text is allowed: in the options of a select. */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, codeOf);
}

function codeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  // A byte: see src/model/path.ts.
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
