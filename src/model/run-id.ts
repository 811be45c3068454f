/**
 * A run's id: the id of its orchestration, and the name of a folder in the ledgers' container. Never only dots, which
 * in an address would lead out of that folder, and never the name of another folder there: an orchestration started
 * past the starter, through the Durable extension's API, has whatever id its caller chose.
 */
export const RUN_ID = /^(?!\.+$|(?:index|destinations|prunes)$)[\w.~-]{1,128}$/;

/** The same, or the id of a run's part, which contains a colon. */
export const LEDGER_ID = /^(?!\.+$|(?:index|destinations|prunes)$)[\w.:~-]{1,128}$/;
