import { createHash } from "node:crypto";

/** What the host tells of the timer; without status where it keeps none, as for schedules of less than a minute. */
export interface TimerStatus {
  scheduleStatus?: { next?: string } | null;
}

/** A clock may run ahead of the host's by this much. */
const CLOCKS_MS = 60_000;

/**
 * The moment that a timer runs for; undefined where it was run by hand, ahead of its time. The host names the moment
 * that was due when it calls the function, and names it again when it was killed before it noted that it had.
 */
export function dueMoment({ scheduleStatus }: TimerStatus, now: Date): Date | undefined {
  const due = new Date(scheduleStatus?.next ?? "");
  return due.getTime() <= now.getTime() + CLOCKS_MS ? due : undefined;
}

/**
 * The run's id for a moment: the same whenever and wherever the moment comes round again, so that it is one run. Of
 * another app, or another slot of the same one, it is another: they know nothing of each other's orchestrations.
 */
export function tickRunId(what: { orchestrator: string; input: unknown }, due: Date, app: string): string {
  return createHash("sha256")
    .update(JSON.stringify([app, what.orchestrator, what.input, due.toISOString()]))
    .digest("hex")
    .slice(0, 32);
}
