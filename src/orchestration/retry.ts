import * as df from "durable-functions";

/**
 * Tries of an activity, each of which has retried its storage requests itself for about 15 seconds: again after 3 s and
 * after 6 s. When storage is gone for good a run ends within two minutes.
 */
export const retry = new df.RetryOptions(3_000, 3);
retry.backoffCoefficient = 2;
