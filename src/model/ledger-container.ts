/** The container of all ledgers; no backup may write into it. */
export const LEDGER_CONTAINER = "backup-runs";
