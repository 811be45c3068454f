/**
 * A run's id: its orchestration's, and a folder's name in the container of the ledgers. Never dots alone: in an address
 * they would lead out of that folder. Never a folder that holds something else: an orchestration that is started past the
 * starter, by the Durable extension's API, has whatever id its caller chose.
 */
export const RUN_ID = /^(?!\.+$|(?:index|destinations|prunes)$)[\w.~-]{1,128}$/;

/** The same, or a part of a run, which has a colon in its id. */
export const LEDGER_ID = /^(?!\.+$|(?:index|destinations|prunes)$)[\w.:~-]{1,128}$/;
