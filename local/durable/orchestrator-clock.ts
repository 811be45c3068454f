/** The clock that an orchestrator sees: that of its latest turn. It never goes back, though the host's clock may. */
import { EventType } from "./history-event.ts";
import type { HistoryEvent } from "./history-event.ts";

/** What time it is, in epoch milliseconds, when this event has come; `now` is what it was before. */
export function advance(now: number, event: HistoryEvent): number {
  if (event.EventType !== EventType.OrchestratorStarted) return now;
  return Math.max(now, Date.parse(event.Timestamp));
}

/** What time it was when the timer of this id was asked for. */
export function timeOf(events: Iterable<HistoryEvent>, eventId: number): number {
  let now = 0;
  for (const event of events) {
    if (event.EventType === EventType.TimerCreated && event.EventId === eventId) break;
    now = advance(now, event);
  }
  return now;
}
