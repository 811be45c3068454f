import type { app as functionApp, InvocationContext } from "@azure/functions";
import { context, SpanStatusCode, trace, type Attributes } from "@opentelemetry/api";
import { redact } from "../secret.ts";
import { describe } from "../storage/errors.ts";
import { withFunction } from "./counters.ts";

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
