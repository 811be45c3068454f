import { PATTERN_SYNTAX } from "../../client/pattern-syntax.ts";
import { h } from "../ui/element.ts";
import { linesField, type Field } from "../ui/field.ts";

/** Which files: two fields side by side, and the pattern syntax. */
export function patternFields(): {
  include: Field<string[]>;
  exclude: Field<string[]>;
  element: HTMLElement;
} {
  const include = linesField({
    name: "include",
    label: "Only",
    hint: "One pattern per line. Empty: all files.",
  });
  const exclude = linesField({ name: "exclude", label: "Leave out", hint: "One pattern per line." });
  const rows = PATTERN_SYNTAX.map(([pattern, meaning]) =>
    h("tr", {}, h("td", {}, h("code", {}, pattern)), h("td", {}, meaning)),
  );
  const element = h(
    "div",
    {},
    h("div", { class: "fields" }, include.element, exclude.element),
    h(
      "details",
      { class: "more" },
      h("summary", {}, "Patterns as in .gitignore"),
      h("table", { class: "table" }, h("tbody", {}, ...rows)),
    ),
  );
  return { include, exclude, element };
}
