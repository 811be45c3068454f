import type { Run } from "../client/answers.ts";
import { Unreachable } from "./api.ts";
import { createProgress } from "./progress.ts";
import type { CommonOptions, Session } from "./session.ts";

/**
 * Shows a run's progress until it has ended.
 * @param ended tells whether it has; asked about every quarter of a second on this machine, every two seconds
 * elsewhere
 * @throws Interrupted
 * @throws Unreachable if the app has not answered for a while, or the local host has ended
 */
export async function follow<T>(
  id: string,
  { api, host, interruption, pollMs }: Session,
  options: CommonOptions,
  ended: (run: Run | undefined) => Promise<T | undefined>,
): Promise<T> {
  const view = await createProgress(options);
  try {
    for (;;) {
      const run = await api.follow(id);
      const end = await ended(run);
      if (end !== undefined) return end;
      if (host?.lease?.isLost()) throw new Unreachable(`The local host has ended. ${host.said()}`.trim());
      if (run) view.update(run);
      else view.lost();
      await interruption.sleep(pollMs);
    }
  } finally {
    view.close();
  }
}
