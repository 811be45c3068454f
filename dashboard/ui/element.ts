export type Child = Node | string | number | false | undefined;
type Attribute = string | number | boolean | undefined | ((event: Event) => void);

/**
 * Creates an element. A function among the attributes listens to the event with that name; text becomes a text node,
 * so that a name is shown and never parsed as markup.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...present(children));
  return element;
}

/** Replaces an element's children. What had the focus gets it back if it is still there, by its id or address. */
export function replace(parent: Element, ...children: Child[]): void {
  const focused = document.activeElement;
  const inside = focused !== null && focused !== parent && parent.contains(focused);
  const again = inside ? selectorOf(focused) : undefined;
  parent.replaceChildren(...present(children));
  if (again !== undefined) parent.querySelector<HTMLElement>(again)?.focus({ preventScroll: true });
}

function selectorOf(element: Element): string | undefined {
  if (element.id !== "") return `#${CSS.escape(element.id)}`;
  const href = element.getAttribute("href");
  return href === null ? undefined : `[href="${CSS.escape(href)}"]`;
}

function present(children: Child[]): (Node | string)[] {
  return children
    .filter((child) => child !== false && child !== undefined)
    .map((child) => (typeof child === "number" ? String(child) : child));
}

let last = 0;

/** A unique id, for labels to refer to. */
export function newId(name: string): string {
  return `${name}-${++last}`;
}
