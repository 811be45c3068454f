import * as df from "durable-functions";

/** Milliseconds. Tests set less. */
// oxlint-disable-next-line no-restricted-globals -- read once, when the app loads, so that a replay sees the same
const FIRST_WAIT = Number(process.env["BACKUP_ACTIVITY_RETRY_MS"] ?? 3_000);

/**
 * Tries an activity again after 3 s and after 6 s. Each try has already retried its storage requests for about 15 seconds, so
 * if storage is gone for good the run ends within two minutes.
 */
export const retry = new df.RetryOptions(FIRST_WAIT, 3);
retry.backoffCoefficient = 2;
