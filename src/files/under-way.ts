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
