/** A file operation took too long: the disk or the share hangs. */
export class FileTimeout extends Error {
  constructor(what: string, ms: number) {
    super(`${what} took more than ${ms / 1000} s: the disk or the share does not answer`);
    this.name = "FileTimeout";
  }
}

/**
 * Waits for a file operation, but not for ever. The operation itself cannot be ended; it keeps one of the process's
 * file threads until it answers.
 * @param release is given what comes too late, to be closed
 * @throws FileTimeout
 */
export async function withTimeout<T>(
  operation: Promise<T>,
  ms: number,
  what: string,
  release?: (late: T) => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      late = true;
      reject(new FileTimeout(what, ms));
    }, ms);
  });
  operation.then(
    (value) => late && release?.(value),
    () => undefined,
  );
  try {
    return await Promise.race([operation, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
