import type { app as functionApp, InvocationContext } from "@azure/functions";
import {
  context,
  createContextKey,
  metrics,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
} from "@opentelemetry/api";
import { OUTCOMES, type Counts } from "../model/outcome.ts";
import { redact } from "../secret.ts";
import { describe } from "../storage/errors.ts";

const FUNCTION = createContextKey("site-backup function");

type Hooks = (typeof functionApp)["hook"];

/**
 * Gives every invocation of a function a span, except an orchestrator's: that is called again for each turn, and the
 * host has a span for the whole orchestration.
 */
export function traceFunctions({ hook }: { hook: Hooks }): void {
  const tracer = trace.getTracer("site-backup");
  hook.preInvocation((invocation) => {
    const { invocationContext, functionHandler } = invocation;
    const { functionName, options } = invocationContext;
    if (options.trigger.type === "orchestrationTrigger") return;
    invocation.functionHandler = (...inputs) => {
      const span = tracer.startSpan(functionName, { attributes: attributesOf(invocationContext) });
      const inside = withFunction(trace.setSpan(context.active(), span), functionName);
      return context.with(inside, async () => {
        try {
          const result: unknown = await functionHandler(...inputs);
          span.setAttributes(resultAttributes(result));
          return result;
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: redact(describe(error)).slice(0, 500) });
          throw error;
        } finally {
          span.end();
        }
      });
    };
  });
}

function attributesOf({
  functionName,
  invocationId,
  options,
  triggerMetadata,
}: InvocationContext): Attributes {
  const { type } = options.trigger;
  const instance = triggerMetadata?.["instanceId"];
  return {
    "faas.name": functionName,
    "faas.invocation_id": invocationId,
    "faas.trigger": type === "httpTrigger" ? "http" : type === "timerTrigger" ? "timer" : "other",
    ...(type === "activityTrigger" && typeof instance === "string"
      ? { "durabletask.type": "activity", "durabletask.task.instance_id": instance }
      : {}),
  };
}

/** A batch's counts, or an answer's status. */
function resultAttributes(result: unknown): Attributes {
  if (typeof result !== "object" || result === null) return {};
  if ("status" in result && typeof result.status === "number") {
    return { "http.response.status_code": result.status };
  }
  if (!("counts" in result) || typeof result.counts !== "object" || result.counts === null) return {};
  return Object.fromEntries(
    Object.entries(result.counts).flatMap(([name, count]) =>
      typeof count === "number" ? [[`site_backup.${name}`, count]] : [],
    ),
  );
}

/** Marks what runs in this context as done by a function. */
function withFunction(current: Context, name: string): Context {
  return current.setValue(FUNCTION, name);
}

/**
 * Counts files by outcome once their outcomes are in the ledger, so each file counts once a run, however often its
 * batch is delivered. Does nothing while telemetry is off.
 */
export function countOutcomes(counts: Counts): void {
  const meter = metrics.getMeter("site-backup");
  const files = meter.createCounter("site_backup.files", { unit: "{file}", description: "Files by outcome" });
  const bytes = meter.createCounter("site_backup.bytes", { unit: "By", description: "Bytes by outcome" });
  const by = { "faas.name": (context.active().getValue(FUNCTION) as string | undefined) ?? "none" };
  for (const outcome of OUTCOMES) {
    const count = counts[outcome] ?? 0;
    if (count > 0) files.add(count, { ...by, outcome });
  }
  const moved = counts.deleted ? "deleted" : "copied";
  if (counts.bytes > 0) bytes.add(counts.bytes, { ...by, outcome: moved });
  if (counts.unchangedBytes > 0) bytes.add(counts.unchangedBytes, { ...by, outcome: "unchanged" });
}
