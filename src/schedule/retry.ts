/** Tries of a timer's function when storage or the engine does not answer: a nightly run is not to be lost for that. */
export const RETRY = { strategy: "fixedDelay", maxRetryCount: 5, delayInterval: { minutes: 1 } } as const;
