/** The container that every run's ledger is kept in; no backup may write into it. */
export const LEDGER_CONTAINER = "backup-runs";
