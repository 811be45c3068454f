/** How a destination keeps contents: a blob a file, or many contents in a pack. See docs/architecture.md. */
export const LAYOUTS = ["files", "packs"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** The layout that a record says: those of older versions say none. */
export function layoutIn({ layout = "files" }: { layout?: Layout | undefined }): Layout {
  return layout;
}
