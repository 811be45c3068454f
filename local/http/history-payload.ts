/**
 * A history as the Durable HTTP API shows it: a completion includes what scheduled it; turn marks, ids and flags are
 * left out.
 */
import { EventType, eventTypeName, type HistoryEvent } from "../durable/history-event.ts";
import { statusName } from "../durable/status.ts";
import type { HistoryRow } from "../durable/rows.ts";
import { toJson } from "./json-text.ts";

interface HistoryOptions {
  showInput: boolean;
  showHistoryOutput: boolean;
}

type Item = Record<string, unknown>;

const MARKS = new Set<number>([EventType.OrchestratorStarted, EventType.OrchestratorCompleted]);
const ALWAYS_HIDDEN = ["EventType", "EventId", "IsPlayed"];
const HIDDEN: Record<number, string[]> = {
  [EventType.ExecutionStarted]: ["OrchestrationInstance", "ParentInstance", "Name", "Version", "Tags"],
  [EventType.TaskScheduled]: ["Version"],
  [EventType.SubOrchestrationInstanceCreated]: ["Version"],
  [EventType.TimerFired]: ["TimerId"],
};

export function historyPayload(rows: HistoryRow[], options: HistoryOptions): Item[] {
  const scheduled = new Map<number, Item>();
  const takenUp = new Set<Item>();
  const items: Item[] = [];
  for (const { event } of rows) {
    if (MARKS.has(event.EventType)) continue;
    const item = visible(event);
    if (isScheduling(event)) scheduled.set(event.EventId, item);
    if (event.EventType === EventType.ExecutionStarted) item["FunctionName"] = event.Name;
    if (event.EventType === EventType.ExecutionCompleted)
      item["OrchestrationStatus"] = statusName(event.OrchestrationStatus);
    if ("Result" in event) {
      if (options.showHistoryOutput) item["Result"] = toJson(event.Result);
      else delete item["Result"];
    }
    if ("TaskScheduledId" in event) {
      delete item["TaskScheduledId"];
      const source = scheduled.get(event.TaskScheduledId);
      if (source) {
        takenUp.add(source);
        item["ScheduledTime"] = String(source["Timestamp"]).replace(/Z$/, "+00:00");
        item["FunctionName"] = source["Name"];
        item["Input"] = source["Input"];
      }
    }
    items.push(item);
  }
  if (!options.showInput) for (const item of items) delete item["Input"];
  return items.filter((item) => !takenUp.has(item));
}

function visible(event: HistoryEvent): Item {
  const hidden = [...ALWAYS_HIDDEN, ...(HIDDEN[event.EventType] ?? [])];
  const members = Object.entries(event).filter(([name]) => !hidden.includes(name));
  return { EventType: eventTypeName(event.EventType), ...Object.fromEntries(members) };
}

function isScheduling(event: HistoryEvent): boolean {
  return (
    event.EventType === EventType.TaskScheduled ||
    event.EventType === EventType.SubOrchestrationInstanceCreated
  );
}
