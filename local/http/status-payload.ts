/** An instance as the Durable HTTP API shows it. */
import { statusName } from "../durable/status.ts";
import type { HistoryRow, InstanceRow } from "../durable/rows.ts";
import { historyPayload } from "./history-payload.ts";
import { toJson } from "./json-text.ts";

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

function wholeSeconds(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
