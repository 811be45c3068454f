/** An instance as the Durable HTTP API shows it. */
import { EventType, eventTypeName } from "../durable/history-event.ts";
import { statusName } from "../durable/status.ts";
import type { HistoryRow, InstanceRow } from "../durable/store.ts";

export interface StatusOptions {
  showInput: boolean;
  showHistory: boolean;
  showHistoryOutput: boolean;
}

export function statusPayload(row: InstanceRow, history: HistoryRow[] | undefined, options: StatusOptions) {
  return {
    name: row.name,
    instanceId: row.id,
    runtimeStatus: statusName(row.status),
    input: options.showInput ? toJson(row.input) : null,
    customStatus: toJson(row.customStatus),
    output: toJson(row.output),
    createdTime: wholeSeconds(row.created),
    lastUpdatedTime: wholeSeconds(row.updated),
    ...(history ? { historyEvents: historyPayload(history, options) } : {}),
  };
}

/** As the extension: JSON where it is JSON, else the text itself (an error, a terminate reason). */
function toJson(text: string | null): unknown {
  if (text === null) return null;
  if (text.trim() === "") return "";
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function wholeSeconds(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

type Item = Record<string, unknown>;

/** A completion takes up what scheduled it; the marks of turns, ids and flags are left out. */
function historyPayload(rows: HistoryRow[], options: StatusOptions): Item[] {
  const scheduled = new Map<string, Item>();
  const aggregated = new Set<Item>();
  const items: Item[] = [];
  for (const { event } of rows) {
    const item: Item = { EventType: eventTypeName(event.EventType) };
    for (const [name, value] of Object.entries(event)) if (!HIDDEN.has(name)) item[name] = value;
    switch (event.EventType) {
      case EventType.OrchestratorStarted:
      case EventType.OrchestratorCompleted:
        continue;
      case EventType.ExecutionStarted:
        for (const name of ["OrchestrationInstance", "ParentInstance", "Name", "Version", "Tags"])
          delete item[name];
        item["FunctionName"] = event.Name;
        break;
      case EventType.TaskScheduled:
      case EventType.SubOrchestrationInstanceCreated:
        delete item["Version"];
        scheduled.set(`${event.EventType}_${event.EventId}`, item);
        break;
      case EventType.TaskCompleted:
      case EventType.TaskFailed:
      case EventType.SubOrchestrationInstanceCompleted:
      case EventType.SubOrchestrationInstanceFailed: {
        const of =
          event.EventType <= EventType.TaskFailed
            ? EventType.TaskScheduled
            : EventType.SubOrchestrationInstanceCreated;
        const source = scheduled.get(`${of}_${event.TaskScheduledId}`);
        delete item["TaskScheduledId"];
        if ("Result" in event) setResult(item, event.Result, options);
        if (source) {
          aggregated.add(source);
          item["ScheduledTime"] = String(source["Timestamp"]).replace(/Z$/, "+00:00");
          item["FunctionName"] = source["Name"];
          item["Input"] = source["Input"];
        }
        break;
      }
      case EventType.ExecutionCompleted:
        item["OrchestrationStatus"] = statusName(event.OrchestrationStatus);
        setResult(item, event.Result, options);
        break;
      case EventType.TimerFired:
        delete item["TimerId"];
        break;
      default:
        break;
    }
    if (!options.showInput) delete item["Input"];
    items.push(item);
  }
  return items.filter((item) => !aggregated.has(item));
}

const HIDDEN = new Set(["EventType", "EventId", "IsPlayed"]);

function setResult(item: Item, result: string | null, options: StatusOptions): void {
  if (options.showHistoryOutput) item["Result"] = toJson(result);
  else delete item["Result"];
}
