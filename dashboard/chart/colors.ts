import { h } from "../ui/element.ts";

const NAMES = ["accent", "accent-soft", "second", "line", "muted"] as const;
export type Colors = Record<(typeof NAMES)[number], string>;

const dark = matchMedia("(prefers-color-scheme: dark)");

/** The style sheet's colours as a canvas takes them, in the current scheme. */
export function colors(within: Element): Colors {
  const probe = h("span");
  within.append(probe);
  const entries = NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  return Object.fromEntries(entries) as Colors;
}

/** @returns a function that stops it */
export function onColorsChange(listener: () => void): () => void {
  dark.addEventListener("change", listener);
  return () => dark.removeEventListener("change", listener);
}
