import { createHash } from "node:crypto";

/** What the host passes to a timer; no status for schedules of less than a minute, for which it keeps none. */
export interface TimerStatus {
  scheduleStatus?: { next?: string } | null;
}

/** How far the host's clock may be ahead of this process's. */
const CLOCKS_MS = 60_000;

/**
 * The scheduled time that a timer runs for; undefined if it was run by hand, ahead of time. The host passes the time that was
 * due, and passes it again if it was killed before it recorded the call.
 */
export function dueMoment({ scheduleStatus }: TimerStatus, now: Date): Date | undefined {
  const due = new Date(scheduleStatus?.next ?? "");
  return due.getTime() <= now.getTime() + CLOCKS_MS ? due : undefined;
}

/**
 * The run's id for a scheduled time: always the same, so that it starts one run however often the timer fires for it. Other
 * apps, and other slots of this one, get other ids: they know nothing of each other's orchestrations.
 */
export function tickRunId(what: { orchestrator: string; input: unknown }, due: Date, app: string): string {
  return createHash("sha256")
    .update(JSON.stringify([app, what.orchestrator, what.input, due.toISOString()]))
    .digest("hex")
    .slice(0, 32);
}
