/** No run takes longer than this; what does is stuck. */
const LIMIT_MS = 30 * 60 * 1000;

/** Waits for a run, but not for ever. @throws when it takes too long; whoever started it ends it */
export async function withinLimit<T>(run: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it was not done in ${LIMIT_MS / 60_000} minutes`)), LIMIT_MS);
  });
  try {
    return await Promise.race([run, limit]);
  } finally {
    clearTimeout(timer);
  }
}
