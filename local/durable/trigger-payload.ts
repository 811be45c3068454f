/** The payload of an orchestration trigger: the history so far and what is new, as JSON text. */
import type { HistoryEvent } from "./history-event.ts";

/** Longer timers are split into intervals; both values are the Azure Storage provider's. */
export const MAXIMUM_TIMER = { text: "6.00:00:00", milliseconds: 6 * 86_400_000 };
export const TIMER_INTERVAL = { text: "3.00:00:00", milliseconds: 3 * 86_400_000 };
export const HTTP_SLEEP_MILLISECONDS = 30_000;
export const UPPER_SCHEMA_VERSION = 1;
export const UPPER_SCHEMA_VERSION_NEW = 3;

interface TriggerPayload {
  /** The past events as JSON texts, in order, so that they are not serialized again in every turn. */
  past: Iterable<string>;
  fresh: HistoryEvent[];
  /** JSON text. */
  input: string | null;
  instanceId: string;
  parentInstanceId: string | null;
  isReplaying: boolean;
}

export function triggerPayload(payload: TriggerPayload): string {
  const history = [...payload.past, ...payload.fresh.map((event) => JSON.stringify(event))].join(",");
  const rest = JSON.stringify({
    instanceId: payload.instanceId,
    isReplaying: payload.isReplaying,
    parentInstanceId: payload.parentInstanceId,
    upperSchemaVersion: UPPER_SCHEMA_VERSION,
    upperSchemaVersionNew: UPPER_SCHEMA_VERSION_NEW,
    longRunningTimerIntervalDuration: TIMER_INTERVAL.text,
    maximumShortTimerDuration: MAXIMUM_TIMER.text,
    defaultHttpAsyncRequestSleepTimeMillseconds: HTTP_SLEEP_MILLISECONDS,
  });
  return `{"history":[${history}],"input":${payload.input ?? "null"},${rest.slice(1)}`;
}
