/**
 * The trace that an orchestration belongs to, kept in the first event of its history, as on the real host. The
 * orchestration's span gets its id at the start, because its activities name it as their parent long before it ends.
 */
import { randomBytes } from "node:crypto";
import { EventType, type HistoryEvent, type ParentTraceContext } from "./history-event.ts";

/** W3C trace context as it travels, in headers and to the worker. */
export interface TraceParent {
  traceParent: string;
  traceState: string;
}

const TRACE_PARENT = /^00-(?<trace>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-(?<flags>[0-9a-f]{2})$/;
/** Longer ones are dropped, as on the real host. */
const LONGEST_STATE = 513;

/** The caller's trace from the headers; undefined if there is none, or none valid. */
export function traceParentOf(headers: NodeJS.Dict<string | string[]>): TraceParent | undefined {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== "string" || !TRACE_PARENT.test(traceparent)) return undefined;
  const state = typeof tracestate === "string" && tracestate.length <= LONGEST_STATE ? tracestate : "";
  return { traceParent: traceparent, traceState: state };
}

/** The context for an orchestration that starts now within a trace. */
export function beginTrace(parent: TraceParent | undefined): ParentTraceContext | null {
  const { trace, flags } = TRACE_PARENT.exec(parent?.traceParent ?? "")?.groups ?? {};
  if (!parent || trace === undefined) return null;
  const span = randomBytes(8).toString("hex");
  return {
    TraceParent: parent.traceParent,
    TraceState: parent.traceState || null,
    Id: `00-${trace}-${span}-${flags}`,
    SpanId: span,
    ActivityStartTime: new Date().toISOString(),
  };
}

/** The context of the orchestration with this history. */
export function traceOf(events: readonly HistoryEvent[]): ParentTraceContext | null {
  const start = events.find((event) => event.EventType === EventType.ExecutionStarted);
  return start?.ParentTraceContext ?? null;
}

/** The orchestration as the parent of what it calls. */
export function asParent(trace: ParentTraceContext | null | undefined): TraceParent | undefined {
  return trace ? { traceParent: trace.Id, traceState: trace.TraceState ?? "" } : undefined;
}
