/**
 * A run's id: its orchestration's, and a folder's name in the container of the ledgers. Never dots alone: in an address
 * they would lead out of that folder.
 */
export const RUN_ID = /^(?!\.+$)[\w.~-]{1,128}$/;

/** The same, or a part of a run, which has a colon in its id. */
export const LEDGER_ID = /^(?!\.+$)[\w.:~-]{1,128}$/;
