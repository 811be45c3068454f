/**
 * The OpenTelemetry SDK, loaded only if telemetry is on, because it costs start-up time and memory. All other code
 * uses `@opentelemetry/api`, which does nothing until the SDK is registered here.
 */
import { randomUUID } from "node:crypto";
import azureFunctions from "@azure/functions";
import functionsInstrumentation from "@azure/functions-opentelemetry-instrumentation";
import {
  context,
  createContextKey,
  diag,
  DiagLogLevel,
  metrics,
  propagation,
  trace,
  type DiagLogger,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor, RandomIdGenerator } from "@opentelemetry/sdk-trace-base";
import { redact } from "../secret.ts";
import { storageCounters } from "../storage/retries.ts";
import { traceFunctions } from "./function-spans.ts";
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

/**
 * Prints the SDK's own complaints, such as a collector that does not answer, once each: it would repeat them forever.
 */
function once(): DiagLogger {
  const said = new Set<string>();
  const say = (message: string, ...details: unknown[]) => {
    const text = redact(["Telemetry:", message, ...details.map(String)].join(" ")).slice(0, 300);
    if (said.size > 100 || said.has(text)) return;
    said.add(text);
    console.warn(text);
  };
  const nothing = () => undefined;
  return { error: say, warn: say, info: nothing, debug: nothing, verbose: nothing };
}

/**
 * The context key under which a host may put the id for the next span. An orchestration's span id is given to its
 * activities long before the orchestration ends and its span is made, maybe by another process.
 */
const SPAN_ID = createContextKey("durabletask.span_id");

/** Random ids, except for spans whose id was promised. */
class PromisedSpanIds extends RandomIdGenerator {
  constructor() {
    super();
    const random = this.generateSpanId;
    this.generateSpanId = () => {
      const promised = context.active().getValue(SPAN_ID);
      return typeof promised === "string" ? promised : random();
    };
  }
}

/**
 * Identifies the sender: the app's name, and this process of it. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
 */
function resourceOf(env: NodeJS.ProcessEnv): Resource {
  const site = env["WEBSITE_SITE_NAME"];
  const own = resourceFromAttributes({
    "service.name": site ?? "site-backup",
    // Counters are totals of a process: without this, two instances would overwrite each other's.
    "service.instance.id": randomUUID(),
    ...(site === undefined ? {} : { "cloud.provider": "azure", "cloud.platform": "azure.functions" }),
    ...(env["REGION_NAME"] ? { "cloud.region": env["REGION_NAME"] } : {}),
  });
  return own.merge(detectResources({ detectors: [envDetector] }));
}

/** Exports what the storage client counts anyway: retries, throttling, and content damaged on the way. */
function observeStorage(): void {
  const meter = metrics.getMeter("site-backup");
  const observe = (name: keyof typeof storageCounters, unit: string, description: string) =>
    meter
      .createObservableCounter(`site_backup.storage.${name}`, { unit, description })
      .addCallback((result) => result.observe(storageCounters[name]));
  observe("retries", "{retry}", "Storage requests that were retried");
  observe("throttled", "{request}", "Storage requests that the service throttled or that stalled");
  observe("damaged", "{request}", "Storage requests whose content was damaged on the way");
}
