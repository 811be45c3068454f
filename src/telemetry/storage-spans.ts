import { useInstrumenter, type SpanStatus, type TracingContext, type TracingSpan } from "@azure/core-tracing";
import {
  context,
  createContextKey,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Histogram,
  type Span,
} from "@opentelemetry/api";
import { allowanceOf, type SpanAllowance } from "./span-allowance.ts";

const HTTP_PACKAGE = "@azure/core-rest-pipeline";
const CALL = createContextKey("site-backup storage call");
/** Answers that the app asks for on purpose: is it there, is it still as it was. */
const EXPECTED = new Set([304, 404, 409, 412]);

/**
 * Makes a span of every call to the Azure SDK (storage, identity), by the hook that the SDK has for it. The HTTP request
 * that a call makes is told on the call's span: its address without the query, which may hold a SAS, and its status.
 */
export function traceAzureSdk(): void {
  const meter = metrics.getMeter("site-backup");
  const durations = meter.createHistogram("site_backup.storage.duration", {
    unit: "s",
    description: "Duration of calls to the storage account, each try by itself",
  });
  useInstrumenter({
    startSpan(name, { packageName, tracingContext, spanAttributes }) {
      const parent = (tracingContext as Context | undefined) ?? context.active();
      const outer = parent.getValue(CALL);
      if (packageName === HTTP_PACKAGE && outer instanceof Call) {
        return { span: outer.request(spanAttributes), tracingContext: parent };
      }
      const call = new Call(name, parent, durations);
      return { span: call, tracingContext: call.context as TracingContext };
    },
    withContext: (current, callback, ...values) =>
      context.with(current as Context, () => callback(...values)),
    parseTraceparentHeader: () => undefined,
    // Storage does nothing with a trace's id.
    createRequestHeaders: () => ({}),
  });
}

/** A query may hold a SAS. */
function withoutQuery(url: string): string {
  return url.split("?", 1)[0] ?? "";
}

/** What is told of an error of the SDK. */
interface Failure {
  code?: string;
  statusCode?: number;
  name?: string;
}

class Call implements TracingSpan {
  readonly context: Context;
  readonly #name: string;
  readonly #parent: Context;
  readonly #durations: Histogram;
  readonly #allowance: SpanAllowance | undefined;
  readonly #start = Date.now();
  /** By a clock that nobody sets. */
  readonly #began = performance.now();
  readonly #attributes: Attributes = {};
  #status: number | undefined;
  #error: string | undefined;
  #span: Span | undefined;

  constructor(name: string, parent: Context, durations: Histogram) {
    this.#name = name;
    this.#parent = parent;
    this.#durations = durations;
    this.#allowance = allowanceOf(parent);
    if (this.#allowance?.take() ?? true) this.#span = this.#begin();
    this.context = (this.#span ? trace.setSpan(parent, this.#span) : parent).setValue(CALL, this);
  }

  /** The HTTP request of this call. */
  request(attributes: Record<string, unknown> = {}): TracingSpan {
    const { "http.url": url, "http.method": method, requestId } = attributes;
    if (typeof method === "string") this.#attributes["http.request.method"] = method;
    if (typeof url === "string") this.#attributes["url.full"] = withoutQuery(url);
    if (typeof requestId === "string") this.#attributes["az.client_request_id"] = requestId;
    const nothing = () => undefined;
    return {
      setAttribute: (name, value) => {
        if (name === "http.status_code") this.#status = Number(value);
        if (name === "serviceRequestId") this.#attributes["az.service_request_id"] = String(value);
      },
      isRecording: () => true,
      setStatus: nothing,
      recordException: nothing,
      end: nothing,
    };
  }

  setStatus(status: SpanStatus): void {
    if (status.status !== "error") return;
    const { code, statusCode, name }: Failure = typeof status.error === "object" ? status.error : {};
    // Never the message: it may quote the request.
    this.#error = String(code ?? statusCode ?? name ?? "error").slice(0, 100);
    if (statusCode !== undefined) this.#status = statusCode;
  }

  setAttribute(name: string, value: unknown): void {
    if (name === "az.namespace") this.#attributes[name] = String(value);
    if (name === "url.full") this.#attributes[name] = withoutQuery(String(value));
  }

  isRecording(): boolean {
    return true;
  }

  recordException(): void {
    // setStatus has told of it.
  }

  end(): void {
    const failed = this.#error !== undefined && !EXPECTED.has(this.#status ?? 0);
    if (this.#status) this.#attributes["http.response.status_code"] = this.#status;
    if (this.#error !== undefined) this.#attributes["error.type"] = this.#error;
    const by: Attributes = { operation: this.#name, ...(this.#error ? { "error.type": this.#error } : {}) };
    this.#durations.record((performance.now() - this.#began) / 1000, by);
    const span = this.#span ?? (failed ? this.#begin() : undefined);
    if (!span) {
      if (this.#allowance) this.#allowance.leftOut++;
      return;
    }
    span.setAttributes(this.#attributes);
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR, message: this.#error ?? "" });
    span.end();
  }

  #begin(): Span {
    const options = { kind: SpanKind.CLIENT, startTime: this.#start };
    return trace.getTracer("site-backup").startSpan(this.#name, options, this.#parent);
  }
}
