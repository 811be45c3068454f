/** A file operation took too long: the disk or the share hangs. */
export class FileTimeout extends Error {
  constructor(what: string, ms: number) {
    super(`${what} took more than ${ms / 1000} s: the disk or the share does not answer`);
    this.name = "FileTimeout";
  }
}

/** The threads that do the process's file operations: libuv's default, or its setting. */
const FILE_THREADS = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);
/** The time for an operation while all threads hang: it waits in the queue behind them and is rarely even tried. */
const WHILE_HUNG_MS = 200;

/** Abandoned operations without an answer; each keeps a thread. */
let hung = 0;

/**
 * Waits for a file operation, but not forever. The operation itself cannot be ended; it keeps one of the process's
 * file threads until it answers. While all threads hang, further operations time out early, so that each file of a
 * tree on a hanging mount does not cost the whole time. As soon as the mount answers, the abandoned operations end,
 * and new ones have their full time again.
 * @param release gets a result that comes too late, to close it; its failure is ignored
 * @throws FileTimeout
 */
export async function withTimeout<T>(
  operation: Promise<T>,
  ms: number,
  what: string,
  release?: (late: T) => Promise<void>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  const within = hung >= FILE_THREADS ? Math.min(ms, WHILE_HUNG_MS) : ms;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      late = true;
      hung++;
      reject(new FileTimeout(what, within));
    }, within);
  });
  const answered = begun();
  operation.then(
    (value) => {
      answered();
      if (!late) return;
      hung--;
      release?.(value).catch(() => undefined);
    },
    () => {
      answered();
      if (late) hung--;
    },
  );
  try {
    return await Promise.race([operation, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until something is closed or removed, unless that hangs: it then ends when the disk or share answers, and
 * nobody waits for it.
 */
export async function tidyInTime(tidying: Promise<unknown> | undefined, ms: number): Promise<void> {
  if (tidying === undefined) return;
  try {
    await withTimeout(tidying, ms, "tidying up");
  } catch (error) {
    if (!(error instanceof FileTimeout)) throw error;
  }
}

/** A file operation without an answer for this long may never get one. */
const HANGS_AFTER_MS = 1_000;

/** The start times of unanswered file operations, oldest first. */
const underWay = new Set<{ since: number }>();

/** Notes the start of a file operation. @returns a function to call when it has answered, however late */
export function begun(): () => void {
  const operation = { since: performance.now() };
  underWay.add(operation);
  return () => underWay.delete(operation);
}

// When a process ends Node joins its threads, and a thread that waits for a hanging disk or share would keep the
// process alive forever. Killing it loses only what hangs.
process.once("exit", () => {
  const [oldest] = underWay;
  if (oldest && performance.now() - oldest.since > HANGS_AFTER_MS) process.kill(process.pid, "SIGKILL");
});
