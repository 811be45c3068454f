/** A file operation that has not answered for so long may never do so. */
const HANGS_AFTER_MS = 1_000;

/** When the file operations began that have not answered yet; the oldest is first. */
const underWay = new Set<{ since: number }>();

/**
 * Notes that a file operation has begun.
 * @returns to be called when it has answered, however late
 */
export function begun(): () => void {
  const operation = { since: performance.now() };
  underWay.add(operation);
  return () => underWay.delete(operation);
}

// Node joins its threads when the process ends, and a thread waits for a disk or share that does not answer: the process
// would never end. What is lost by ending it so is what hangs.
process.once("exit", () => {
  const [oldest] = underWay;
  if (oldest && performance.now() - oldest.since > HANGS_AFTER_MS) process.kill(process.pid, "SIGKILL");
});
