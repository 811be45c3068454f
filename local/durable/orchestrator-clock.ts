/** The clock that an orchestrator sees: that of its latest turn. It never goes back, even if the host's clock does. */
import { EventType, type HistoryEvent } from "./history-event.ts";

/** The time after this event, in epoch milliseconds; `now` is the time before. */
export function advance(now: number, event: HistoryEvent): number {
  if (event.EventType !== EventType.OrchestratorStarted) return now;
  return Math.max(now, Date.parse(event.Timestamp));
}

/** The time at which the timer with this id was requested. */
export function timeOf(events: Iterable<HistoryEvent>, eventId: number): number {
  let now = 0;
  for (const event of events) {
    if (event.EventType === EventType.TimerCreated && event.EventId === eventId) break;
    now = advance(now, event);
  }
  return now;
}
