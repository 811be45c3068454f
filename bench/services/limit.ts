/** The longest that a run can take; one that takes longer is stuck. */
const LIMIT_MS = 30 * 60 * 1000;

/** Waits for a run, but not forever. @throws Error if it takes too long; the caller must then end it */
export async function withinLimit<T>(run: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`it did not finish within ${LIMIT_MS / 60_000} minutes`)),
      LIMIT_MS,
    );
  });
  try {
    return await Promise.race([run, limit]);
  } finally {
    clearTimeout(timer);
  }
}
