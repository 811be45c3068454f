import * as df from "durable-functions";

/** Tests wait for less. */
// oxlint-disable-next-line no-restricted-globals -- read once, when the app loads, so that a replay sees the same
const FIRST_WAIT = Number(process.env["BACKUP_ACTIVITY_RETRY_MS"] ?? 3_000);

/**
 * Tries of an activity, each of which has retried its storage requests itself for about 15 seconds: again after 3 s and
 * after 6 s. When storage is gone for good a run ends within two minutes.
 */
export const retry = new df.RetryOptions(FIRST_WAIT, 3);
retry.backoffCoefficient = 2;
