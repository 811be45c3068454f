import type { Run } from "./answers.ts";
import { createProgress } from "./progress.ts";
import type { CommonOptions, Session } from "./session.ts";

/**
 * Shows how a run goes until it has ended.
 * @param ended what says so; asked about every quarter of a second on this machine, every two seconds elsewhere
 * @throws Interrupted
 */
export async function follow<T>(
  id: string,
  { api, interruption, pollMs }: Session,
  options: CommonOptions,
  ended: (run: Run | undefined) => Promise<T | undefined>,
): Promise<T> {
  const view = createProgress(options);
  try {
    for (;;) {
      const run = await api.follow(id);
      const end = await ended(run);
      if (end !== undefined) return end;
      if (run) view.update(run);
      await interruption.sleep(pollMs);
    }
  } finally {
    view.close();
  }
}
