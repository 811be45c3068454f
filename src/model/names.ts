/** How a destination keeps contents: a blob a file, or many contents in a pack. See docs/architecture.md. */
export const LAYOUTS = ["files", "packs"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** The layout that a record says: those of older versions say none. */
export function layoutIn({ layout = "files" }: { layout?: Layout | undefined }): Layout {
  return layout;
}

/** The container of all ledgers; no backup may write into it. */
export const LEDGER_CONTAINER = "backup-runs";

/**
 * A run's id: the id of its orchestration, and the name of a folder in the ledgers' container. Never only dots, which
 * in an address would lead out of that folder, and never the name of another folder there: an orchestration started
 * past the starter, through the Durable extension's API, has whatever id its caller chose.
 */
export const RUN_ID = /^(?!\.+$|(?:index|destinations|prunes)$)[\w.~-]{1,128}$/;

/** The same, or the id of a run's part, which contains a colon. */
export const LEDGER_ID = /^(?!\.+$|(?:index|destinations|prunes)$)[\w.:~-]{1,128}$/;
