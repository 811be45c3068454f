import type { SourceRun } from "./source-run.ts";

/** What a restore or verification says about a partial backup; undefined if it is not partial. */
export function partialNote({ id, status }: Pick<SourceRun, "id" | "status">): string | undefined {
  switch (status) {
    case "canceled":
      return `The backup is partial: the run ${id} was canceled, and has only what it had copied by then.`;
    // Not in progress: else it could not be read.
    case "running":
      return `The backup is partial: the run ${id} was terminated, and has only what it had copied by then.`;
    case "failed":
      return `The backup is partial: the run ${id} failed, and lacks what it could not back up.`;
    case "completed":
    case "skipped":
    case undefined:
      return undefined;
  }
}
