/**
 * The span of a whole orchestration, named as the Durable extension names it. It goes to the OpenTelemetry SDK that
 * the app registered, if any.
 */
import { context, createContextKey, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { ParentTraceContext } from "./history-event.ts";
import { Status, statusName } from "./status.ts";
import { redact } from "../log/redact.ts";
import type { InstanceRow } from "./rows.ts";

/** The app's id generator takes the next span's id from here: the activities know it already. */
const SPAN_ID = createContextKey("durabletask.span_id");

/** Call when the orchestration has ended. */
export function recordOrchestration(row: InstanceRow, traceContext: ParentTraceContext): void {
  const [, traceId = "", spanId = "", flags = "00"] = traceContext.TraceParent.split("-");
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  const span = context.with(context.active().setValue(SPAN_ID, traceContext.SpanId), () =>
    trace.getTracer("DurableTask.Core").startSpan(
      `orchestration:${row.name}`,
      {
        kind: SpanKind.SERVER,
        startTime: new Date(traceContext.ActivityStartTime),
        attributes: {
          "durabletask.type": "orchestration",
          "durabletask.task.name": row.name,
          "durabletask.task.instance_id": row.id,
          "durabletask.task.status": statusName(row.status),
        },
      },
      trace.setSpanContext(ROOT_CONTEXT, parent),
    ),
  );
  if (row.status === Status.Failed) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: redact(row.output ?? "").slice(0, 500) });
  }
  span.end();
}
