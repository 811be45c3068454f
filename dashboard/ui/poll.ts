import { ApiError } from "../api/client.ts";
import { messageOf } from "./message-of.ts";

const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];

export interface Polling {
  /** Repeats it at once. */
  now(): void;
  stop(): void;
}

/**
 * Does something repeatedly; not while the page is hidden, and less often while the app does not answer.
 * @param step returns the milliseconds until the next time; undefined ends it
 * @param onError gets the message of an error that retrying will not fix; `undefined` once all is well again
 */
export function poll(
  step: () => Promise<number | undefined>,
  onError: (message: string | undefined) => void,
): Polling {
  let timer: number | undefined;
  let turn = 0;
  let failures = 0;
  let stopped = false;

  async function run(): Promise<void> {
    clearTimeout(timer);
    const mine = ++turn;
    let wait: number | undefined;
    try {
      const started = performance.now();
      wait = await step();
      // A slow app is asked less often.
      if (wait !== undefined) wait = Math.max(wait, 3 * (performance.now() - started));
      failures = 0;
      if (mine === turn && !stopped) {
        connection(undefined);
        onError(undefined);
      }
    } catch (error) {
      if (mine !== turn || stopped) return;
      if (error instanceof ApiError && error.passing) {
        connection(`${error.message} Trying again …`);
        wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)];
      } else onError(messageOf(error));
    }
    if (wait !== undefined && mine === turn && !stopped && !document.hidden) {
      timer = setTimeout(() => void run(), wait);
    }
  }

  const onVisible = (): void => {
    if (!document.hidden && !stopped) void run();
  };
  document.addEventListener("visibilitychange", onVisible);
  return {
    now: () => void run(),
    stop() {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    },
  };
}

/** Shows at the top of the page that the app does not answer; undefined hides that. */
function connection(message: string | undefined): void {
  const line = document.querySelector("#connection");
  if (line && line.textContent !== (message ?? "")) line.textContent = message ?? "";
}
