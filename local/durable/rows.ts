/** The rows of the store. */
import type { HistoryEvent, ParentInstance } from "./history-event.ts";
import type { Status } from "./status.ts";
import type { TraceParent } from "./trace-context.ts";

export interface InstanceRow {
  id: string;
  executionId: string;
  name: string;
  status: Status;
  /** JSON text, or null. */
  input: string | null;
  /** JSON text, or plain text (an error, a reason). */
  output: string | null;
  customStatus: string | null;
  version: string | null;
  parent: ParentInstance | null;
  /** Epoch milliseconds. */
  created: number;
  updated: number;
}

export interface Message {
  id: number;
  instanceId: string;
  /** The execution it is for; null: whichever is current. */
  executionId: string | null;
  event: HistoryEvent;
}

export interface Task {
  id: number;
  instanceId: string;
  executionId: string;
  eventId: number;
  name: string;
  input: string | null;
  /** Not in the store: it is in the orchestration's history. */
  trace?: TraceParent | undefined;
}

export interface Timer {
  id: number;
  instanceId: string;
  executionId: string;
  eventId: number;
  fireAt: string;
  /** The wait its orchestration asked for, in milliseconds. Not in the store: it is in the orchestration's history. */
  wait?: number;
}

export interface HistoryRow {
  event: HistoryEvent;
  /** For a retry's timer the id of the attempt that failed; for its next attempt the id of the timer. */
  causedBy: number | null;
}
