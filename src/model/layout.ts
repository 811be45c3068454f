/** How a destination keeps contents: a blob a file, or many contents in a pack. See docs/architecture.md. */
export const LAYOUTS = ["files", "packs"] as const;
export type Layout = (typeof LAYOUTS)[number];
