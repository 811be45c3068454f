import { h, newId } from "./element.ts";

/** A labelled control of a form. */
export interface Field<T> {
  /** Its name in the request; a refusal names it so. */
  name: string;
  element: HTMLElement;
  value(): T;
  /** Marks it as invalid, with the reason; undefined clears the mark. */
  fail(reason: string | undefined): void;
  focus(): void;
}

interface Options {
  name: string;
  label: string;
  hint?: string | undefined;
}

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

export function textField(
  options: Options & { value?: string | undefined; required?: boolean; suggestions?: readonly string[] },
): Field<string> {
  const { value = "", required = false, suggestions = [] } = options;
  const list = suggestions.length === 0 ? undefined : newId("suggestions");
  const input = h("input", { type: "text", required, list, autocomplete: "off", spellcheck: "false" });
  input.value = value;
  const options_ = suggestions.map((suggestion) => h("option", { value: suggestion }));
  const field = labelled(options, input, () => input.value.trim());
  if (list !== undefined) field.element.append(h("datalist", { id: list }, ...options_));
  return field;
}

/** Several values, one a line. Surrounding spaces are trimmed, except one after a backslash. */
export function linesField(options: Options): Field<string[]> {
  const input = h("textarea", { rows: 2, spellcheck: "false", autocomplete: "off" });
  return labelled(options, input, () =>
    input.value
      .split("\n")
      .map((line) => line.trimStart().replace(/(?<!\\)\s+$/, ""))
      .filter((line) => line !== ""),
  );
}

export function selectField(
  options: Options & { value?: string | undefined; choices: readonly { value: string; label: string }[] },
): Field<string> {
  const input = h("select", {}, ...options.choices.map(({ value, label }) => h("option", { value }, label)));
  if (options.value !== undefined) input.value = options.value;
  return labelled(options, input, () => input.value);
}

export function checkField(options: Options & { value?: boolean }): Field<boolean> {
  const input = h("input", { type: "checkbox", id: newId(options.name) });
  input.checked = options.value ?? false;
  const hint = hintOf(options, input);
  const element = h(
    "div",
    { class: "field check" },
    input,
    h("label", { for: input.id }, options.label),
    hint,
  );
  return { ...wiring(options.name, element, input), value: () => input.checked };
}

/** One of a few choices, all visible. */
export function choiceField(
  options: Options & { value: string; choices: readonly { value: string; label: string; hint?: string }[] },
): Field<string> {
  const group = newId(options.name);
  const inputs = options.choices.map(({ value }) =>
    h("input", { type: "radio", name: group, value, id: newId(group), checked: value === options.value }),
  );
  const element = h(
    "fieldset",
    { class: "field choices" },
    h("legend", {}, options.label),
    ...options.choices.map(({ label, hint }, index) =>
      h(
        "label",
        { for: inputs[index]?.id, class: "choice" },
        inputs[index],
        h("span", {}, label, hint !== undefined && h("span", { class: "hint" }, hint)),
      ),
    ),
  );
  const first = inputs[0] ?? h("input");
  return {
    ...wiring(options.name, element, first),
    value: () => inputs.find(({ checked }) => checked)?.value ?? options.value,
  };
}

function labelled<T>(options: Options, control: Control, value: () => T): Field<T> {
  control.id = newId(options.name);
  const hint = hintOf(options, control);
  const element = h("div", { class: "field" }, h("label", { for: control.id }, options.label), control, hint);
  return { ...wiring(options.name, element, control), value };
}

function hintOf({ hint }: Options, control: Control): HTMLElement | undefined {
  if (hint === undefined) return undefined;
  const element = h("span", { class: "hint", id: newId("hint") }, hint);
  control.setAttribute("aria-describedby", element.id);
  return element;
}

function wiring(
  name: string,
  element: HTMLElement,
  control: Control,
): Pick<Field<unknown>, "name" | "element" | "fail" | "focus"> {
  return {
    name,
    element,
    fail(reason) {
      if (reason === undefined) control.removeAttribute("aria-invalid");
      else control.setAttribute("aria-invalid", "true");
    },
    focus: () => control.focus(),
  };
}
