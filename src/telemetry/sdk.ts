/**
 * The OpenTelemetry SDK, loaded only if telemetry is on, because it costs start-up time and memory. All other code
 * uses `@opentelemetry/api`, which does nothing until the SDK is registered here.
 */
import azureFunctions from "@azure/functions";
import functionsInstrumentation from "@azure/functions-opentelemetry-instrumentation";
import { context, diag, DiagLogLevel, metrics, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { once } from "./diagnostics.ts";
import { traceFunctions } from "./function-spans.ts";
import { PromisedSpanIds } from "./promised-span-ids.ts";
import { resourceOf } from "./resource.ts";
import { observeStorage } from "./storage-counters.ts";
import { traceAzureSdk } from "./storage-spans.ts";

/**
 * Sends spans, metrics and logs to the OTLP endpoint in the environment, as JSON over HTTP, until the app ends. The
 * exporters and processors read the standard variables themselves: OTEL_EXPORTER_OTLP_*, OTEL_TRACES_SAMPLER,
 * OTEL_BSP_*, OTEL_RESOURCE_ATTRIBUTES.
 */
export function startTelemetry(env: NodeJS.ProcessEnv): void {
  diag.setLogger(once(), DiagLogLevel.WARN);
  const resource = resourceOf(env);
  const tracing = new BasicTracerProvider({
    resource,
    idGenerator: new PromisedSpanIds(),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const metering = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter(),
        exportIntervalMillis: Number(env["OTEL_METRIC_EXPORT_INTERVAL"]) || 60_000,
      }),
    ],
  });
  const logging = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(tracing);
  metrics.setGlobalMeterProvider(metering);

  observeStorage();
  traceAzureSdk();
  traceFunctions(azureFunctions.app);
  // After traceFunctions, so that its hook runs first and the span begins within the context that this one sets.
  instrumentFunctions(logging);

  azureFunctions.app.hook.appTerminate(async () => {
    await Promise.allSettled([tracing.shutdown(), metering.shutdown(), logging.shutdown()]);
  });
}

/**
 * Carries the host's trace context into functions, sends what they log, and tells the host so, which then stops
 * sending it. Registered by hand, because patching modules as they load needs a loader for ES modules.
 */
function instrumentFunctions(logging: LoggerProvider): void {
  const instrumentation = new functionsInstrumentation.AzureFunctionsInstrumentationESM({ enabled: false });
  instrumentation.setLoggerProvider(logging);
  instrumentation.registerAzFunc(azureFunctions);
}
